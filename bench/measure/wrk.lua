-- Sends the requests of a file one after the other, and prints what wrk counted as one line of JSON.
-- Arguments after `--`: the file with the requests, each separated from the next by byte 30.

local requests = {}
local at = 0

function init(args)
  local file = assert(io.open(args[1], 'rb'))
  local text = file:read('*a')
  file:close()
  for request in text:gmatch('[^\30]+') do
    requests[#requests + 1] = request
  end
end

function request()
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
