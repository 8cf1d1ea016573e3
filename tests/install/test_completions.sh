#!/usr/bin/env bash
# The installed completions in the shells themselves: bash, zsh and fish are asked what they would offer after a command
# line, and must know the program's commands, each command's flags, words for values, folders and model files.
# Environment: IMGMILL, the program in its build folder (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/counting.sh"
install_and_move

# What files are offered: names with spaces, and some that are no models.
mkdir -p "$scratch/files/a folder"
cd "$scratch/files"
touch net.safetensors net.pth "net two.pt" photo.jpg pipeline.yaml undo.tsv

# offers_bash LINE: one offer a line. readline's part is played here: the line is taken apart the way it does it.
offers_bash() {
  bash --norc -c '
    source "$1/share/bash-completion/completions/imgmill"
    read -ra COMP_WORDS <<<"${2//=/ = }"
    [[ $2 != *[\ =] ]] || COMP_WORDS+=("")
    [[ $2 != *= ]] || unset "COMP_WORDS[-1]"
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    $(complete -p imgmill | sed "s/.*-F \([^ ]*\).*/\1/") imgmill
    printf "%s\n" "${COMPREPLY[@]}"' bash "$tree" "$1" 2>&1
}

# zsh completes at a prompt only: it gets a terminal, and notes what is offered there.
offers_zsh() {
  cat >"$scratch/prompt.zsh" <<'ZSH'
fpath=($TREE/share/zsh/site-functions $fpath)
autoload -Uz compinit && compinit -u -d $HOME/zcompdump
compadd() {
  # Calls that only look (-O, -A, -D) offer nothing.
  local -a looking offered
  zparseopts -D -E -a looking O: A: D: -- "$@" 2>/dev/null
  if (( ! $#looking )); then builtin compadd -O offered "$@"; print -rl -- $offered >>$OFFERS; fi
  builtin compadd "$@"
}
done-completing() { print -r -- done >$OFFERS.done }
comppostfuncs=(done-completing)
PROMPT=ready
ZSH
  rm -f "$scratch/offers" "$scratch/offers.done"
  touch "$scratch/offers"
  TREE=$tree OFFERS=$scratch/offers LINE=$1 START=$scratch/prompt.zsh TERM=dumb zsh -f -c '
    zmodload zsh/zpty
    zpty shell zsh -f -i
    zpty -w shell "source \$START"
    zpty -r shell text "*ready*"
    zpty -w -n shell "$LINE"$'"'\\t'"'
    for try in {1..600}; do [[ -e $OFFERS.done ]] && break; sleep 0.1; zpty -r -t shell text; done
    zpty -d shell' >/dev/null 2>&1
  cat "$scratch/offers"
}

# fish looks for completions in the data folders, of programs that it can find.
offers_fish() {
  PATH=$tree/bin:$PATH XDG_DATA_DIRS=$tree/share:/usr/share fish -c 'complete -C $argv[1]' "$1" 2>&1 | cut -f 1
}

# offered SHELL LINE NOT? WORD...: the words must be among the offers; those after "--none" must not.
offered() {
  local shell=$1 line=$2 word wanted=1 offers
  shift 2
  offers=$("offers_$shell" "$line" | sed -E 's/\\ / /g; s/[=\/]$//')
  for word; do
    if [ "$word" = --none ]; then wanted=0; continue; fi
    if [ $wanted = 1 ] && ! grep -qxF -- "$word" <<<"$offers"; then echo "not offered: $word; but: $offers"; return 1; fi
    if [ $wanted = 0 ] && grep -qxF -- "$word" <<<"$offers"; then echo "offered: $word"; return 1; fi
  done
}

mapfile -t all_commands < <(commands)
for shell in bash zsh fish; do
  if ! command -v $shell >/dev/null; then skip "$shell is not installed"; continue; fi
  check "$shell: all commands" offered $shell "imgmill " "${all_commands[@]}"
  check "$shell: a command's beginning" offered $shell "imgmill de" dedup --none upscale
  for command in "${all_commands[@]}"; do
    mapfile -t long < <(flags "$command" | grep '^--')
    check "$shell: all flags of $command" offered $shell "imgmill $command --" "${long[@]}"
  done
  check "$shell: a flag's beginning" offered $shell "imgmill dedup --no-c" --no-catalog --none --catalog
  check "$shell: words of a value" offered $shell "imgmill dedup --cache " auto every never --none photo.jpg
  check "$shell: words of an argument" offered $shell "imgmill memory " info recommend clear
  check "$shell: model files" offered $shell "imgmill upscale --model " net.safetensors net.pth "net two.pt" "a folder" --none photo.jpg
  check "$shell: folders" offered $shell "imgmill upscale -o " "a folder" --none photo.jpg
  check "$shell: pipelines" offered $shell "imgmill run " pipeline.yaml --none photo.jpg
  check "$shell: any file as input" offered $shell "imgmill dedup " photo.jpg "a folder"
  check "$shell: nothing for a number" offered $shell "imgmill dedup --max-distance " --none photo.jpg dedup auto
done
# A flag that takes a NAME takes one of a few: the command notes them for the shells (TakesWords).
for command in "${all_commands[@]}"; do
  for flag in $("$imgmill" "$command" --help | sed -nE 's/^  (-[a-zA-Z],)?(--[a-z-]+) NAME.*/\2/p'); do
    check "$command $flag: its words are offered" [ -n "$(offers_bash "imgmill $command $flag ")" ]
  done
done
check "bash: a value after an equals sign" offered bash "imgmill dedup --cache=ev" every --none auto
check "fish: a value after an equals sign" offered fish "imgmill dedup --cache=ev" --cache=every
finish
