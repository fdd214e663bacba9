#!/usr/bin/env bash
# Makes the demo's clip from ffmpeg's own test sources: 12 s of H.264 and AAC as HLS, two variants of six segments each,
# a master playlist and a poster. All URLs inside are relative, so that every playlist inherits a token in the path.
# The result is in the repository; run this only to change it. Made with ffmpeg 5.1, libx264 and its native AAC encoder.
set -euo pipefail
cd "$(dirname "$0")"
rm -rf clip
mkdir -p clip/low clip/high

seconds=12
picture="testsrc2=size=640x360:rate=24:duration=$seconds"
# A soft tone that beeps once a second, so that one can hear that it plays on.
sound="sine=frequency=220:beep_factor=4:sample_rate=44100:duration=$seconds,volume=0.4"

ffmpeg -hide_banner -loglevel error -y \
  -f lavfi -i "$picture" -f lavfi -i "$sound" \
  -filter_complex "[0:v]split=2[a][b];[b]scale=384:216[low];[1:a]asplit=2[x][y]" \
  -map "[low]" -map "[x]" -map "[a]" -map "[y]" \
  -c:v libx264 -profile:v main -preset veryslow -pix_fmt yuv420p -threads 1 \
  -g 48 -keyint_min 48 -sc_threshold 0 \
  -b:v:0 80k -maxrate:v:0 100k -bufsize:v:0 160k \
  -b:v:1 170k -maxrate:v:1 210k -bufsize:v:1 340k \
  -c:a aac -ac 1 -b:a 32k \
  -fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1 \
  -f hls -hls_time 2 -hls_playlist_type vod -hls_flags independent_segments \
  -hls_segment_type fmp4 -hls_fmp4_init_filename init.mp4 \
  -hls_segment_filename 'clip/%v/segment-%d.m4s' \
  -master_pl_name master.m3u8 \
  -var_stream_map 'v:0,a:0,name:low v:1,a:1,name:high' \
  'clip/%v/index.m3u8'

ffmpeg -hide_banner -loglevel error -y -f lavfi -i "$picture" -vf "select=eq(n\,150)" -frames:v 1 \
  -fflags +bitexact -flags:v +bitexact -q:v 6 clip/poster.jpg

du -cb clip/*.* clip/*/* | tail -1
