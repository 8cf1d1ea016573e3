#!/usr/bin/env bash
# Opens the page of filter in a real browser: every picture loads, every link leads to a file, each rule has its line in
# the histogram and examples on both sides, and the bars are those of the images.
#
# Environment: IMGMILL, the program (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/browser.sh"

mkdir -p 'my photos/in' out
cp sample_data/{harbour,harbour_q30,citrus,clock,clock_blurred,forest,meadow,marble}.jpg sample_data/icon_tiny.png 'my photos'
cp sample_data/mountains.jpg 'my photos/in/x #1 <b>.jpg'
"$IMGMILL" filter 'my photos' --keep 'sharpness>p20' --drop 'jpeg_quality<50' --html out/page.html --catalog facts --json >run.json 2>run.err
check "exit code of filter" 0 $?
check "the page in the document" out/page.html "$(sed -n 's/^  "html": "\([^"]*\)".*/\1/p' run.json)"

sed 's#</body>##; s#</html>##' out/page.html >out/probe.html
cat >>out/probe.html <<'HTML'
<script>
addEventListener('load', () => {
  const all = (s, e = document) => [...e.querySelectorAll(s)];
  const sharp = document.getElementById('sharpness');
  const images = e => all('rect title', e).reduce((sum, t) => sum + parseInt(t.textContent), 0);
  const counts = {broken: [...document.images].filter(i => i.naturalWidth === 0).length, signals: all('.signal').length,
                  lines: all('line').length, bars: images(sharp), quality: images(document.getElementById('jpeg_quality')),
                  examples: all('.cut .examples', sharp).map(e => e.children.length).join('+'),
                  rule: sharp.querySelector('.rule').textContent.split(':')[1],
                  worst: sharp.querySelector('.examples .value').textContent,
                  wide: document.documentElement.scrollWidth > innerWidth};
  document.body.innerHTML = '<pre id=counts>' + JSON.stringify(counts) + '</pre>';
});
</script>
</body></html>
HTML
for size in 1000,900 500,900; do
  counts=$(dom out/probe.html "$size")
  check "broken pictures at $size" 0 "$(found broken)"
  check "signals at $size" 32 "$(found signals)"
  check "lines of rules at $size" 2 "$(found lines)"
  check "images in the bars at $size" 10 "$(found bars)"
  check "images that have a quality at $size" 9 "$(found quality)"
  check "examples at $size" 2+4 "$(found examples)"
  check "what the rule drops at $size" " drops 2" "$(found rule)"
  check "the page is wider than the window at $size" false "$(found wide)"
done

missing=$(grep -o 'href="[^"]*"' out/page.html | sed 's/^href="//; s/"$//' | sort -u | while IFS= read -r link; do
  path=$(printf '%b' "${link//%/\\x}")
  [ -e "out/$path" ] || echo "$path"
done)
check "links that lead nowhere" "" "$missing"
check "references to other places" 0 "$(grep -c 'https\?://' out/page.html)"
finish
