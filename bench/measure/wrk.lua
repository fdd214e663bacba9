-- Sends the requests of a file one after the other, and prints what wrk counted as one line of JSON.
-- Arguments after `--`: the file with the requests, each separated from the next by byte 30. With `tokens` behind it the
-- file holds one bearer token per line, is read as it is needed, and each line goes out with a request of its own.

local requests = {}
local at = 0
local tokens = nil

function init(args)
  if args[2] == 'tokens' then
    tokens = assert(io.open(args[1], 'rb'))
    return
  end
  local file = assert(io.open(args[1], 'rb'))
  local text = file:read('*a')
  file:close()
  for request in text:gmatch('[^\30]+') do
    requests[#requests + 1] = request
  end
end

local function tokenRequest()
  local token = tokens:read('*l')
  if token == nil then
    tokens:seek('set', 0)
    token = tokens:read('*l')
  end
  at = at + 1
  return string.format(
    'GET /vod/1k/title-%d/seg-%06d-%08x.ts HTTP/1.1\r\nHost: media.localhost\r\n' ..
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Player/%d\r\nAccept: */*\r\n' ..
    'Accept-Language: en-GB,en;q=0.8\r\nX-Playback-Session-Id: %032d\r\nAuthorization: Bearer %s\r\n\r\n',
    at % 977, at, at, at, at, token
  )
end

function request()
  if tokens ~= nil then return tokenRequest() end
  at = at % #requests + 1
  return requests[at]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'BENCH {"completed":%d,"microseconds":%d,"bytes":%d,"refused":%d,"broken":%d,"p50":%d,"p90":%d,"p99":%d}\n',
    summary.requests, summary.duration, summary.bytes, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(90), latency:percentile(99)
  ))
end
