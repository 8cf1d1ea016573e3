# Sourced by hamming.sh and cosine.sh: runs searches that print "SECONDS FOUND", and makes the table.
# shellcheck shell=bash
bench=${BENCH:-build/release/bin/similarity_bench}
python=${PEERS:-$HOME/.cache/imgmill-peers}/venv/bin/python
[ -x "$bench" ] || { echo "$(basename "$0"): no $bench; build the target similarity_bench or set BENCH" >&2; exit 3; }
"$python" -c 'import faiss' 2>/dev/null || { echo "$(basename "$0"): no faiss in $python; run bench/peers/setup.sh" >&2; exit 3; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
. bench/timing.sh
names=()
declare -A listed

# search NAME COMMAND...: NAME.runs gets the search's own seconds and the process's MiB. All must find the same.
search() {
  local name=$1 mib
  measure "$@" 2>/dev/null
  mib=$(tail -n 1 "$scratch/$name.runs" | cut -d' ' -f2)
  sed -i '$d' "$scratch/$name.runs"
  read -r seconds found <"$scratch/$name.stdout"
  echo "$seconds $mib" >>"$scratch/$name.runs"
  [ "${expected:=$found}" = "$found" ] || { echo "$(basename "$0"): $name finds $found, others $expected" >&2; exit 1; }
  [ -n "${listed[$name]:-}" ] || names+=("$name")
  listed[$name]=yes
  printf '  %-32s %s s, %s MiB\n' "$name" "$seconds" "$mib" >&2
}

# table PEER: how many times as fast as that.
table() {
  echo
  echo "| | seconds | peak MiB | times as fast as $1 |"
  echo "|---|---|---|---|"
  for name in "${names[@]}"; do
    awk -v name="$name" -v s="$(median "$name" 1)" -v m="$(median "$name" 2)" -v of="$(median "$1" 1)" \
      'BEGIN { printf "| %s | %.3f | %d | %.1f |\n", name, s, m, of / s }'
  done
}
