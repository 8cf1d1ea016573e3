#!/usr/bin/env bash
# Sends images of a gigapixel through imgmill within 400 MiB, and enlarges one to 20,000 x 20,000 within 1 GiB; called by
# scripts/soak.sh --gigapixel FOLDER. Environment: IMGMILL_TEST_ASSETS (../shared/assets), for the model.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(realpath "$1")
imgmill=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
scratch=$(mktemp -d)

# A control group of our own below the present one, if this user may make one.
group=
for tree in "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)" \
  "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)"; do
  for file in memory.limit_in_bytes memory.max; do
    [ -z "$group" ] && [ -e "$tree/$file" ] && mkdir "$tree/imgmill-soak-$$" 2>/dev/null || continue
    if echo -1 >"$tree/imgmill-soak-$$/$file" 2>/dev/null || echo max >"$tree/imgmill-soak-$$/$file" 2>/dev/null; then
      group=$tree/imgmill-soak-$$ limit_file=$group/$file
    else
      rmdir "$tree/imgmill-soak-$$"
    fi
  done
done
trap 'rm -rf "$scratch"; [ -z "$group" ] || rmdir "$group"' EXIT
[ -n "$group" ] && echo "soak: in $group" || echo "soak: no control group can be made here, --memory alone"

# limit MiB: of what runs after it.
limit() {
  limit=$(($1 << 20)) budget=(--memory "$1MiB")
  [ -z "$group" ] || { echo $limit >"$limit_file"; budget=(); }
}

# run COMMAND...: fails if it is killed, crashes or holds more than the limit.
run() {
  rm -rf "$scratch/out" "$scratch/catalog"
  local status=0
  (
    [ -z "$group" ] || echo "$BASHPID" >"$group/cgroup.procs"
    exec /usr/bin/time -f '%e %M' -o "$scratch/time" "$imgmill" "$@" "${budget[@]}" --json --quiet
  ) >"$scratch/stdout" 2>"$scratch/stderr" || status=$?
  read -r seconds kib < <(tail -n 1 "$scratch/time")
  local said=done
  [ $status = 0 ] || said=$(grep -o 'it needs[^"]*' "$scratch/stderr" | tail -n 1)
  printf '%-8s %-28s peak %3d MiB, %4.0f s, exit %s, %s\n' "$1" "$(basename "$(dirname "$2")")/$(basename "$2")" \
    $((kib / 1024)) "$seconds" $status "$said"
  [ $status -le 1 ] && [ $((kib * 1024)) -le $limit ] && [ -n "$said" ] ||
    { echo "soak: not within its limit, or without a reason:" >&2; cat "$scratch/stderr" >&2; exit 1; }
}

limit 400
for file in "$folder"/gigapixel/* "$folder"/whole/*; do
  run filter "$file" --keep 'sharpness>0' --no-catalog
  run tile "$file" --size 1024 --format jpg -o "$scratch/out" --no-catalog
  run dedup "$file" --decode full --no-catalog
  run embed "$file" --catalog "$scratch/catalog"
done

limit 1024
"$imgmill" tile "$folder/mixed/50_baseline.jpg" --size 5000 --format png -o "$scratch/cut" --no-catalog --quiet >/dev/null
cut=$scratch/cut/50_baseline_00000_00000.png
run upscale "$cut" --method lanczos3 --scale 4 --format png -o "$scratch/out" --no-catalog
run upscale "$cut" --method lanczos3 --scale 4 --format jpg -o "$scratch/out" --no-catalog
weights=${IMGMILL_TEST_ASSETS:-$root/../shared/assets}/weights/realesrgan/realesr-animevideov3-x4.safetensors
if [ -f "$weights" ]; then
  run upscale "$cut" --model "$weights" --device cpu --format jpg -o "$scratch/out" --no-catalog
fi
echo "soak: all within their limits"
