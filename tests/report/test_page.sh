#!/usr/bin/env bash
# Opens the report page of the quickstart's pipeline in a real browser: every picture loads, every link leads to a
# file, and the buttons show what they say.
#
# Environment: IMGMILL, the program (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/browser.sh"

"$IMGMILL" run configs/quickstart.yaml >run.out 2>run.err
status=$?
page=quickstart_out/report.html
check "exit code of the run" 1 "$status"

# The page itself has no script; a copy gets one that counts what the browser made of it.
sed 's#</body>##; s#</html>##' "$page" >quickstart_out/probe.html
cat >>quickstart_out/probe.html <<'HTML'
<script>
addEventListener('load', () => {
  const seen = () => [...document.querySelectorAll('.card')].filter(c => c.offsetParent !== null).length;
  const counts = {images: document.images.length,
                  broken: [...document.images].filter(i => i.naturalWidth === 0).length, cards: seen()};
  for (const id of ['only-through', 'only-dropped', 'only-failed']) {
    document.getElementById(id).checked = true;
    counts[id] = seen();
  }
  counts.wide = document.documentElement.scrollWidth > innerWidth;
  document.body.innerHTML = '<pre id=counts>' + JSON.stringify(counts) + '</pre>';
});
</script>
</body></html>
HTML
counts=$(dom quickstart_out/probe.html 800,600)

# What the run itself says of its images: a table of steps on stdout, and the sums on stderr.
listed=$(awk 'NR == 2 { print $2 }' run.out)
through=$(awk 'END { print $3 }' run.out)
fails=$(awk 'NR > 1 { sum += $5 } END { print sum }' run.out)
check "cards" "$listed" "$(found cards)"
check "pictures, of all but the text file" $((listed - 1)) "$(found images)"
check "broken pictures" 0 "$(found broken)"
check "cards of what was kept, dropped and failed" "$listed" \
  $(($(found only-through) + $(found only-dropped) + $(found only-failed)))
check "cards of failures" "$fails" "$(found only-failed)"
check "the page is wider than the window" false "$(found wide)"
[ -n "$through" ] && check "something was kept" 1 $(("$(found only-through)" > 0))

missing=$(grep -o 'href="[^"]*"' "$page" | sed 's/^href="//; s/"$//' | sort -u | while IFS= read -r link; do
  path=$(printf '%b' "${link//%/\\x}")
  [ -e "quickstart_out/$path" ] || echo "$path"
done)
check "links that lead nowhere" "" "$missing"
finish
