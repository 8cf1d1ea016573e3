#!/usr/bin/env bash
# Draws the videos of the tests with ffmpeg: small ones, of all that differs between videos. Nothing is drawn again that
# is there.
#
# Usage: draw_videos.sh FOLDER
set -euo pipefail
[ $# = 1 ] || { echo "usage: draw_videos.sh FOLDER" >&2; exit 2; }
mkdir -p "$1"
cd "$1"

# draw NAME OPTION...: one file by one ffmpeg, on one thread so that it is the same each time.
draw() {
  local name=$1
  shift
  [ -e "$name" ] && return
  ffmpeg -nostdin -v error -y -threads 1 -filter_threads 1 "$@" -threads 1 -map_metadata -1 -fflags +bitexact \
    -flags:v +bitexact "partial-$name"
  mv "partial-$name" "$name"
}

# Sharp edges in all colours, and motion.
chart() { echo "-f lavfi -i testsrc2=s=$1:r=25:d=${2:-0.4}"; }
quality="-c:v libx264 -preset veryfast -qp 12 -bf 2"
tags() { echo "-color_range $1 -colorspace $2 -color_primaries $3 -color_trc $4"; }

# The matrix and the range are set in the conversion, too: tags alone would only be believed.
draw bt709.mp4 $(chart 320x180) -vf scale=out_color_matrix=bt709,format=yuv420p $quality $(tags tv bt709 bt709 bt709)
draw bt601.mp4 $(chart 320x180) -vf scale=out_color_matrix=bt601,format=yuv420p $quality \
  $(tags tv smpte170m smpte170m smpte170m)
draw untagged.mp4 $(chart 1280x720 0.12) -vf format=yuv420p $quality
draw full.mp4 $(chart 320x180) -vf scale=out_color_matrix=bt709:out_range=full,format=yuv420p $quality \
  $(tags pc bt709 bt709 bt709)
draw deep.mkv $(chart 320x180) -vf scale=out_color_matrix=bt2020,format=yuv420p10 -c:v libx265 \
  -x265-params "log-level=none:qp=12:pools=1:frame-threads=1" $(tags tv bt2020nc bt2020 bt2020-10)
draw whole_chroma.webm $(chart 320x180) -vf scale=321:181,format=yuv444p -c:v libvpx-vp9 -deadline realtime -b:v 2M
draw vp8.webm $(chart 320x180) -vf scale=321:181,format=yuv420p -c:v libvpx -deadline realtime -b:v 2M
# Alpha in a stream of its own beside each picture's, which changes over the picture and from one to the next.
draw glass_vp9.webm $(chart 320x180) -vf "format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='mod(X+7*N,256)'" \
  -c:v libvpx-vp9 -deadline realtime -b:v 2M -auto-alt-ref 0
draw glass_vp8.webm $(chart 320x180) -vf "scale=321:181,format=yuva420p,geq=lum='lum(X,Y)':cb='cb(X,Y)':cr='cr(X,Y)':a='mod(2*Y+9*N,256)'" \
  -c:v libvpx -deadline realtime -b:v 2M -auto-alt-ref 0
draw av1.mp4 $(chart 320x180 0.2) -vf format=yuv420p -c:v libaom-av1 -cpu-used 8 -crf 20
draw editing.mov $(chart 320x180 0.2) -vf format=yuv422p10 -c:v prores_ks -profile:v 3
draw glass.mov $(chart 320x180 0.2) -vf "format=rgba,colorchannelmixer=aa=0.5,format=yuva444p10" -c:v prores_ks \
  -profile:v 4444
draw rgb.mkv $(chart 320x180 0.2) -vf format=gbrp -c:v ffv1
draw grey.mkv $(chart 320x180 0.2) -vf format=gray -c:v ffv1
draw mpeg2.ts $(chart 320x180) -vf format=yuv420p -c:v mpeg2video -q:v 3 -bf 2
draw mpeg1.mpg $(chart 320x240) -vf format=yuv420p -c:v mpeg1video -q:v 3
draw mpeg4.avi $(chart 320x180) -vf format=yuv420p -c:v mpeg4 -q:v 3
draw motion.avi $(chart 320x180) -vf format=yuvj422p -c:v mjpeg -q:v 3
draw theora.ogv $(chart 320x180) -vf format=yuv420p -c:v libtheora -q:v 9
draw flash.flv $(chart 320x180) -vf format=yuv420p -c:v flv1 -q:v 3
draw windows.wmv $(chart 320x180) -vf format=yuv420p -c:v wmv2 -q:v 3
draw small.avi $(chart 160x120 0.2) -vf format=yuv420p -c:v mpeg4 -q:v 3
draw wavelets.mkv $(chart 320x180 0.2) -vf format=yuv422p -c:v vc2
draw cineform.mov $(chart 320x180 0.2) -vf format=yuv422p10 -c:v cfhd
draw screen.avi $(chart 320x180 0.2) -vf format=rgb24 -c:v zmbv
draw camera.dv -f lavfi -i testsrc2=s=720x480:r=30000/1001:d=0.1 -vf format=yuv411p -c:v dvvideo
draw plain.y4m $(chart 160x90 0.2) -vf format=yuv420p

draw sequence.avif $(chart 160x90 0.2) -vf format=yuv420p -c:v libaom-av1 -cpu-used 8 -crf 20 -f avif

# Times: 24000/1001 a second; each frame longer than the one before; and a stream that begins late.
draw film.mkv -f lavfi -i testsrc2=s=160x90:r=24000/1001:d=1 -vf format=yuv420p $quality
draw slowing.mp4 -f lavfi -i testsrc2=s=160x90:r=25:d=1 -vf "settb=1/90000,setpts='(N*N*4+N*40)*90',format=yuv420p" \
  -fps_mode passthrough -enc_time_base 1:90000 -video_track_timescale 90000 $quality
draw slowing.mkv -i slowing.mp4 -c copy -fps_mode passthrough

# As telephones write them: turned by the header alone. 1 to 3 quarters of a turn.
for turn in 90 180 270; do draw turned$turn.mp4 -i bt709.mp4 -c copy -metadata:s:v:0 rotate=$turn; done

# Five scenes of half a second, the last being the first again; key frames every ten.
draw scenes.mp4 -f lavfi -i testsrc2=s=320x180:r=20:d=0.5 -f lavfi -i mandelbrot=s=320x180:r=20:maxiter=200 \
  -f lavfi -i smptebars=s=320x180:r=20:d=0.5 -f lavfi -i "gradients=s=320x180:r=20:d=0.5:seed=3:c0=navy:c1=orange" \
  -filter_complex "[1:v]trim=end_frame=10,setpts=PTS-STARTPTS[m];[0:v]split[a][b];
    [a][m][2:v][3:v][b]concat=n=5:v=1:a=0,format=yuv420p[out]" -map "[out]" $quality -g 10 -keyint_min 10 -sc_threshold 0

# Sound alone, and sound beside pictures.
draw sound.mp4 -f lavfi -i sine=d=1 -c:a aac
draw talking.mp4 $(chart 160x90) -f lavfi -i sine=d=1 -vf format=yuv420p $quality -c:a aac
