#!/usr/bin/env bash
# Opens the page of compare in a real browser: every picture loads, every link leads to a file, the worst pair is first,
# and a slider moves the edge between the two images.
#
# Environment: IMGMILL, the program (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/browser.sh"

mkdir -p 'a set/in' 'b set/in' out
cp sample_data/harbour.jpg 'a set/in/x #1 <b>.jpg'
cp sample_data/harbour_copy.jpg 'b set/in/x #1 <b>.jpg'
cp sample_data/clock.jpg 'a set/clock.jpg'
cp sample_data/clock_blurred.jpg 'b set/clock.jpg'
cp sample_data/badge_alpha.png 'a set/badge.png'
cp sample_data/badge_alpha.png 'b set/badge.png'
{ printf 'P5 4 4000 255\n'; head -c 16000 /dev/zero; } >'a set/long.pgm'
cp 'a set/long.pgm' 'b set/long.pgm'
"$IMGMILL" compare 'a set' 'b set' --html out/page.html --fail-below psnr=32 --no-catalog >run.out 2>run.err
check "exit code of the run" 4 $?

# A copy of the page gets a script that tries the sliders.
sed 's#</body>##; s#</html>##' out/page.html >out/probe.html
cat >>out/probe.html <<'HTML'
<script>
addEventListener('load', () => {
  const both = document.querySelector('.both'), slider = both.querySelector('input');
  const edge = () => getComputedStyle(both.querySelector('.other')).clipPath.replaceAll(' ', '_');
  const counts = {images: document.images.length,
                  broken: [...document.images].filter(i => i.naturalWidth === 0).length,
                  cards: document.querySelectorAll('.card').length, before: edge()};
  slider.value = 80;
  slider.dispatchEvent(new Event('input'));
  counts.after = edge();
  counts.first = document.querySelector('.card .name').textContent.replaceAll(' ', '_');
  counts.fails = document.querySelectorAll('.card.fails').length;
  const box = both.getBoundingClientRect(), over = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
  counts.reached = over === slider;
  counts.tall = [...document.images].some(i => i.getBoundingClientRect().height > 600);
  counts.wide = document.documentElement.scrollWidth > innerWidth;
  document.body.innerHTML = '<pre id=counts>' + JSON.stringify(counts) + '</pre>';
});
</script>
</body></html>
HTML
for size in 1000,900 500,900; do
  counts=$(dom out/probe.html "$size")
  check "cards at $size" 4 "$(found cards)"
  check "pictures at $size" 12 "$(found images)"
  check "broken pictures at $size" 0 "$(found broken)"
  check "the edge at first at $size" 'inset(0px_0px_0px_50%)' "$(found before)"
  check "the edge behind the slider at $size" 'inset(0px_0px_0px_80%)' "$(found after)"
  check "the worst pair at $size" a_set/clock.jpg "$(found first)"
  check "pairs outside of the limit at $size" 1 "$(found fails)"
  check "the slider can be reached at $size" true "$(found reached)"
  check "a picture is higher than a window at $size" false "$(found tall)"
  check "the page is wider than the window at $size" false "$(found wide)"
done

missing=$(grep -o 'href="[^"]*"' out/page.html | sed 's/^href="//; s/"$//' | sort -u | while IFS= read -r link; do
  path=$(printf '%b' "${link//%/\\x}")
  [ -e "out/$path" ] || echo "$path"
done)
check "links that lead nowhere" "" "$missing"
check "references to other places" 0 "$(grep -c 'https\?://' out/page.html)"
finish
