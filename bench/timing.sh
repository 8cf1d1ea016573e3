# Sourced by the benchmarks: how a whole process is timed, and what is made of several runs. They set $scratch, a folder
# of their own.
# shellcheck shell=bash

# measure NAME COMMAND...: "seconds MiB" is added to NAME.runs; stdout goes to NAME.stdout.
measure() {
  local name=$1; shift
  if ! /usr/bin/time -f '%e %M' -o "$scratch/time" "$@" >"$scratch/$name.stdout" 2>"$scratch/$name.stderr"; then
    echo "$(basename "$0"): $name failed:" >&2
    tail -n 20 "$scratch/$name.stderr" "$scratch/time" >&2
    exit 1
  fi
  awk '{ printf "%s %.0f\n", $1, $2 / 1024 }' "$scratch/time" >>"$scratch/$name.runs"
  printf '  %-16s %s s, %s MiB\n' "$name" $(tail -n 1 "$scratch/$name.runs") >&2
}

# median NAME COLUMN: over the runs of NAME; 1 is seconds, 2 is MiB.
median() { sort -n -k"$2,$2" "$scratch/$1.runs" | awk -v c="$2" '{ v[NR] = $c } END { print v[int((NR + 1) / 2)] }'; }
