#!/usr/bin/env bash
# Sends images of a gigapixel through imgmill within 400 MiB; called by scripts/soak.sh --gigapixel FOLDER.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
folder=$(realpath "$1")
imgmill=$(realpath "${IMGMILL:-$root/build/release/bin/imgmill}")
scratch=$(mktemp -d)
limit=$((400 << 20))

# A control group of our own below the present one, if this user may make one.
group=
for tree in "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)" \
  "/sys/fs/cgroup$(sed -n 's/^0:://p' /proc/self/cgroup)"; do
  for file in memory.limit_in_bytes memory.max; do
    [ -z "$group" ] && [ -e "$tree/$file" ] && mkdir "$tree/imgmill-soak-$$" 2>/dev/null || continue
    if echo $limit >"$tree/imgmill-soak-$$/$file" 2>/dev/null; then group=$tree/imgmill-soak-$$; else rmdir "$tree/imgmill-soak-$$"; fi
  done
done
trap 'rm -rf "$scratch"; [ -z "$group" ] || rmdir "$group"' EXIT
[ -n "$group" ] && echo "soak: in $group" || echo "soak: no control group can be made here, --memory alone"

# run COMMAND...: fails if it is killed, crashes or holds more than the limit.
run() {
  rm -rf "$scratch/out" "$scratch/catalog"
  local status=0 budget=(--memory 400MiB)
  [ -z "$group" ] || budget=()
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

for file in "$folder"/gigapixel/* "$folder"/whole/*; do
  run filter "$file" --keep 'sharpness>0' --no-catalog
  run tile "$file" --size 1024 --format jpg -o "$scratch/out" --no-catalog
  run dedup "$file" --decode full --no-catalog
  run embed "$file" --catalog "$scratch/catalog"
done
echo "soak: all within 400 MiB"
