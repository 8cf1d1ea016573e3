#!/usr/bin/env bash
# Opens the page of dedup in a real browser and clicks: the keeper changes, an image stays, a group is left alone, the
# totals follow, two pictures are flipped and subtracted; what is exported is then carried out by apply, and undone. A
# page of many groups draws only those in view. Turned pictures are laid upon each other.
#
# Environment: IMGMILL, the program (build/release/bin/imgmill).
source "$(dirname "${BASH_SOURCE[0]}")/browser.sh"

mkdir -p 'my photos/in'
cp sample_data/{harbour.jpg,harbour_q30.jpg,citrus.jpg,citrus_cropped.jpg,balloons.png,balloons.webp} 'my photos'
cp sample_data/harbour_copy.jpg 'my photos/in/x #1 <b> \.jpg'
cp sample_data/lighthouse.jpg 'my photos/lighthouse.jpg'
ln 'my photos/lighthouse.jpg' 'my photos/lighthouse_name.jpg'
"$IMGMILL" dedup 'my photos' --html page.html --json >run.json 2>run.err
check "exit code of dedup" 0 $?
check "the page in the document" page.html "$(sed -n 's/^  "html": "\([^"]*\)".*/\1/p' run.json)"

# probe PAGE: a copy of it as probe.html, with a script from stdin that fills `found`.
probe() {
  sed 's#</body>##; s#</html>##' "$1" >probe.html
  {
    echo '<script>const found = {}, all = (s, e = document) => [...e.querySelectorAll(s)], one = (s, e = document) => e.querySelector(s);'
    echo 'const frame = () => new Promise(done => requestAnimationFrame(() => setTimeout(done, 100)));'
    echo 'const press = key => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));'
    echo 'async function probe() { try {'
    cat
    echo '} catch (error) { found.error = String(error); } return found; }</script></body></html>'
  } >>probe.html
}

probe page.html <<'JS'
await frame();
const sections = all('section.group'), totals = () => one('#totals').textContent.replaceAll(',', ';');
found.groups = sections.length;
found.pictures = document.images.length;
found.broken = all('img').filter(i => i.naturalWidth === 0).length;
found.before = totals();
found.wide = document.documentElement.scrollWidth > innerWidth;

// By mouse: the second image of the first group is kept, the second group is left alone, one of the third stays.
one('figure:nth-child(2) > button', sections[0]).click();
found.kept = one('figure.keep figcaption a', sections[0]).textContent;
one('.out', sections[1]).click();
found.out = sections[1].classList.contains('out');
all('.stay', sections[2])[0].click();
found.stays = one('figure.stays figcaption a', sections[2]).textContent;
found.after = totals();

// A picture of a crop is as large as the part of the keeper that it shows: 436 of 450 pixels.
const [whole, crop] = all('img', sections[1]).map(i => i.getBoundingClientRect().width);
found.scale = Math.abs(crop / whole - 436 / 450) < .02 || `${crop} of ${whole}`;

// Flip and difference.
one('.closely', sections[1]).click();
const stage = one('#stage'), shows = () => [...stage.children].map(c => getComputedStyle(c).visibility === 'visible').join('-');
found.open = one('#look').open;
found.first = shows();
one('#flip').click();
found.flipped = shows();
press(' ');
found.back = shows();
press('d');
found.both = shows() + '-' + getComputedStyle(stage.children[1]).mixBlendMode;
await frame();
found.file = all('img', stage).map(i => i.naturalWidth).join('-');
one('#close').click();

// By keyboard: down to the fourth group, its second image, which is kept; and back to the first.
press('ArrowDown'), press('ArrowDown'), press('ArrowRight'), press('Enter');
found.at = sections.findIndex(s => s.classList.contains('at')) + one('.at figure.keep figcaption a').textContent;
press('x'), press('x'), press('ArrowLeft'), press('Enter');
found.again = totals();

one('#find').value = 'X #1';
one('#find').dispatchEvent(new Event('input'));
await frame();
found.filtered = all('section.group').length;
one('#find').value = '';
one('#find').dispatchEvent(new Event('input'));

let saved, blob;
HTMLAnchorElement.prototype.click = function () { saved = this; };
URL.createObjectURL = made => { blob = made; return '#'; };
one('#export').click();
found.name = saved.download;
found.decisions = btoa(unescape(encodeURIComponent(await blob.text())));
JS
for size in 1300,1000 500,900; do
  counts=$(live probe.html "$size" "probe()")
  check "error at $size" "" "$(found error)"
  check "groups at $size" 4 "$(found groups)"
  check "broken pictures at $size" 0 "$(found broken)"
  check "the page is wider than the window at $size" false "$(found wide)"
  check "totals at first at $size" '4 groups: 5 images to go; which frees 98.6 KiB' "$(found before)"
  check "the keeper that was clicked at $size" 'my photos/balloons.webp' "$(found kept)"
  check "a group that is left alone at $size" true "$(found out)"
  check "an image that stays at $size" 'my photos/harbour_q30.jpg' "$(found stays)"
  # balloons.png and the copy of the harbour: 41.1 and 36.9 KiB; the lighthouse's other name frees nothing.
  check "totals at $size" '4 groups: 3 images to go; which frees 78.0 KiB; 1 group left alone' "$(found after)"
  check "one scale at $size" true "$(found scale)"
  check "the view of two at $size" 'true true-false false-true true-false true-true-difference' \
    "$(found open) $(found first) $(found flipped) $(found back) $(found both)"
  check "the files themselves at $size" 450-436 "$(found file)"
  check "the keyboard at $size" '3my photos/lighthouse_name.jpg' "$(found at)"
  check "totals after keys at $size" "$(found after)" "$(found again)"
  check "groups with a path at $size" 1 "$(found filtered)"
  check "name of the export at $size" decisions.json "$(found name)"
done
check "references to other places" 0 "$(grep -c 'https\?://' page.html)"
found decisions | base64 -d >decisions.json

# What was decided, as a run that touches nothing says, and as one that does it.
"$IMGMILL" apply decisions.json --action move --move-to gone --dry-run >dry.out 2>dry.err
check "exit code of the dry run" 0 $?
"$IMGMILL" apply decisions.json --action move --move-to gone --undo-file undo.tsv >apply.out 2>apply.err
check "exit code of apply" 0 $?
check "said beforehand" "$(cat apply.out)" "$(cat dry.out)"
check "files that went" 'balloons.png in/x #1 <b> \.jpg lighthouse_name.jpg' "$(cd gone && find . -type f ! -name .imgmill-set-aside | sed 's#^\./##' | sort | tr '\n' ' ' | sed 's/ $//')"
"$IMGMILL" undo undo.tsv >undo.out 2>undo.err
check "exit code of undo" 0 $?
check "files that are back" 9 "$(find 'my photos' -type f | wc -l)"

# A keeper and an image that are no longer what was shown are named, and nothing of theirs is touched.
echo more >>'my photos/in/x #1 <b> \.jpg'
touch -d '2001-01-01' 'my photos/balloons.webp'
"$IMGMILL" apply decisions.json --action delete --undo-file undo2.tsv >again.out 2>again.err
check "exit code where files have changed" 1 $?
check "files that are named" 2 "$(grep -c 'not the file that the page has shown' again.err)"
check "files that are left" 8 "$(find 'my photos' -type f | wc -l)"
check "the keeper's duplicate is left" yes "$([ -e 'my photos/balloons.png' ] && echo yes)"

# Images of a reference are kept, whatever is clicked.
mkdir ref new && cp sample_data/harbour.jpg ref && cp sample_data/harbour_q30.jpg new
"$IMGMILL" dedup new --reference ref --html ref.html >ref.out 2>ref.err
probe ref.html <<'JS'
await frame();
all('figure > button')[1].click();
found.kept = one('figure.keep figcaption a').textContent;
JS
counts=$(live probe.html 1000,900 "probe()")
check "the keeper of a reference" ref/harbour.jpg "$(found kept)"

# A file stays as long as a link to it does, in its group or another one.
mkdir -p linked/x linked/y && cp sample_data/harbour.jpg linked/y/b.jpg && cp sample_data/harbour.jpg linked/y/c.jpg
ln -s ../y/b.jpg linked/x/link.jpg && cp sample_data/citrus.jpg linked/y && cp sample_data/citrus.jpg linked/y/file.jpg
ln -s file.jpg linked/y/z.jpg
"$IMGMILL" dedup linked --pairs within --keep-by bytes,path --html linked.html >linked.out 2>linked.err
probe linked.html <<'JS'
await frame();
const total = () => one('#totals').textContent.replaceAll(',', ';'), states = n => all('figure', all('section.group')[n]).map(f => f.classList[0]).join(' ');
const groupOf = name => all('section.group').findIndex(s => s.textContent.includes(name));
const citrus = groupOf('citrus.jpg'), harbour = 1 - citrus;
found.before = total();
found.states = states(citrus);
all('figure', all('section.group')[citrus]).find(f => f.textContent.includes('z.jpg')).querySelector('button').click();
found.linkKept = states(citrus);
found.after = total();
const captions = n => all('figcaption', all('section.group')[n]).map(c => c.textContent).filter(text => text.includes('stays, since'));
found.said = captions(citrus).length + captions(citrus)[0].match(/since.*z.jpg/)[0];
all('figure', all('section.group')[harbour]).find(f => f.textContent.includes('c.jpg')).querySelector('button').click();
found.linkElsewhere = states(harbour);
found.saidElsewhere = captions(harbour)[0].match(/since.*link.jpg/)[0];
found.total = total();
JS
counts=$(live probe.html 1000,900 "probe()")
check "error of the page of links" "" "$(found error)"
check "totals before a link is kept" '2 groups: 3 images to go; which frees 80.9 KiB' "$(found before)"
check "a file and its link go" 'keep goes goes' "$(found states)"
check "a file whose link is kept" 'goes stays keep' "$(found linkKept)"
check "totals after a link is kept" '2 groups: 2 images to go; which frees 80.9 KiB' "$(found after)"
check "why it stays" '1since a link to it does: linked/y/z.jpg' "$(found said)"
check "a file whose link is in no group" 'stays keep' "$(found linkElsewhere)"
check "why that stays" 'since a link to it does: linked/x/link.jpg' "$(found saidElsewhere)"
check "totals then" '2 groups: 1 image to go; which frees 43.9 KiB' "$(found total)"

# Once something was done there is nothing to decide: names, links and badges say where files are.
mkdir acted && cp sample_data/harbour.jpg acted/a.jpg && cp sample_data/harbour.jpg acted/b.jpg
acted_page() {
  probe acted.html <<'JS'
await frame();
found.badges = all('.badge').map(b => b.textContent).join(' ');
found.names = all('figcaption a, figcaption > span').map(a => a.textContent).join(' ');
found.links = all('figcaption a').length;
found.said = all('figcaption small').at(-1).textContent;
found.total = one('#totals').textContent;
found.decides = !one('#export').hidden || all('.stay, .out').length > 0;
all('figure > button')[1].click();
found.open = one('#look').open;
await new Promise(done => setTimeout(done, 300));
found.laid = all('#stage img').filter(i => i.naturalWidth > 0).length;
JS
  counts=$(live probe.html 1000,900 "probe()")
  check "error of the page of what was $1" "" "$(found error)"
  check "badges of what was $1" "keep $1" "$(found badges)"
  check "total of what was $1" "1 group: 1 image $1" "$(found total)"
  check "anything to decide of what was $1" false "$(found decides)"
  check "what was $1 is looked at" true2 "$(found open)$(found laid)"
}
"$IMGMILL" dedup acted --action move --move-to aside --html acted.html --quiet >acted.out 2>acted.err
acted_page moved
check "files of the page of what was moved" 'acted/a.jpg aside/b.jpg' "$(found names)"
check "where it was" 'moved from acted/b.jpg' "$(found said)"
cp acted/a.jpg acted/b.jpg
"$IMGMILL" dedup acted --action delete --html acted.html --quiet >acted.out 2>acted.err
acted_page deleted
check "files of the page of what was deleted" 'acted/a.jpg acted/b.jpg' "$(found names)"
check "links of the page of what was deleted" 1 "$(found links)"
check "what is said of it" 'no longer there' "$(found said)"

# A turned picture is laid upon the keeper turned back, also where no second look has said where it lies. By hand: wide.ppm
# was turned clockwise, so that its right leads down in turned.ppm, and its down to the left.
mkdir turned
awk 'BEGIN {
  w = 90; h = 60; print "P3\n" w, h "\n255" >"turned/wide.ppm"; print "P3\n" h, w "\n255" >"turned/turned.ppm"
  for (y = 0; y < h; ++y) for (x = 0; x < w; ++x) {
    pixel[x, y] = (x * x / 9 + y * 3) % 256 " " (y * y / 5 + x) % 256 " " (int(x / 11) * 57 + int(y / 7) * 31) % 256
    gsub(/\.[0-9]*/, "", pixel[x, y]); print pixel[x, y] >"turned/wide.ppm"
  }
  for (y = 0; y < w; ++y) for (x = 0; x < h; ++x) print pixel[y, h - 1 - x] >"turned/turned.ppm"
}'
for verify in '' --no-verify; do
  "$IMGMILL" dedup turned --method embedding --invariant rotate $verify --keep-by path --html turned.html --quiet >turned.out 2>turned.err
  probe turned.html <<'JS'
await frame();
found.how = all('figure:nth-child(2) small')[1].textContent.replaceAll(',', ';');
one('.closely').click();
await frame();
const box = element => { const {x, y, width, height} = element.getBoundingClientRect(); return [x, y, width, height].map(Math.round).join(' '); };
const laid = one('#stage .second img');
found.fills = box(laid) === box(one('#stage')) || box(laid) + ' in ' + box(one('#stage'));
found.turned = getComputedStyle(laid).transform.replaceAll(',', '');
JS
  counts=$(live probe.html 1000,900 "probe()")
  check "error of the page of a turned picture" "" "$(found error)"
  check "what is said of a turned picture ($verify)" "distance 0; turned by 270 degrees" "$(found how | sed 's/ difference 0.000;//')"
  check "a turned picture fills the stage ($verify)" true "$(found fills)"
  check "how a turned picture is laid ($verify)" 'matrix(0 1 -1 0 0 0)' "$(found turned)"
done

# The page of match: a query and its two nearest in a group; nothing to decide.
"$IMGMILL" embed 'my photos' --quiet
"$IMGMILL" match sample_data/citrus.jpg --in 'my photos' --top 2 --html match.html >match.out 2>match.err
check "exit code of match" 0 $?
probe match.html <<'JS'
await frame();
found.pictures = all('section.group img').filter(i => i.naturalWidth > 0).length;
found.names = all('figcaption a').map(a => a.textContent).join(' ');
found.badges = all('.badge').map(b => b.textContent).join(' ');
found.decides = !one('#export').hidden || all('.stay, .out').length > 0;
one('.closely').click();
found.open = one('#look').open;
JS
counts=$(live probe.html 1000,900 "probe()")
check "error of the page of match" "" "$(found error)"
check "pictures of a match" 3 "$(found pictures)"
check "files of a match" 'sample_data/citrus.jpg my photos/citrus.jpg my photos/citrus_cropped.jpg' "$(found names)"
check "what is no match" query "$(found badges)"
check "anything to decide in a match" false "$(found decides)"
check "a match looked at" true "$(found open)"
grep -o 'href="[^"]*"\|"link":"[^"]*"' match.html | sed 's/^"link":"//; s/"$//' | while IFS= read -r link; do
  path=$(printf '%b' "${link//%/\\x}")
  [ -e "$path" ] || echo "$path"
done >missing.txt
check "links of a match that lead nowhere" "" "$(cat missing.txt)"

# What failed is listed above the groups. Refused pairs stay behind them: the closest differ in more than any copy does.
mkdir failing && cp sample_data/*.* failing
printf 'GIF89a' >'failing/cut <i>.gif'  # beside two of the samples
"$IMGMILL" dedup failing --html failing.html --refused 5 >failing.out 2>failing.err
check "exit code where images failed" 1 $?
probe failing.html <<'JS'
await frame();
const failures = one('details.facts'), kinds = () => all('section.group').map(s => groups[s.dataset.n].refused ? 'r' : 'g').join('');
found.counted = one('summary', failures).textContent;
found.closed = failures.getBoundingClientRect().height < 40;
failures.open = true;
found.named = all('li', failures).map(li => li.textContent.split(': ')[0]).join(' ');
found.reasons = all('li', failures).filter(li => li.textContent.split(': ')[1].length > 5).length;
found.wide = document.documentElement.scrollWidth > innerWidth;
found.inOrder = kinds();
for (const by of ['far', 'bytes', 'order']) {
  one('#sort').value = by;
  one('#sort').dispatchEvent(new Event('change'));
  found[by] = kinds();
}
JS
for size in 1300,1000 500,900; do
  counts=$(live probe.html "$size" "probe()")
  check "error of the page of failures at $size" "" "$(found error)"
  check "failures that are counted at $size" '3 images failed' "$(found counted)"
  check "failures are folded at $size" true "$(found closed)"
  check "failures that are named at $size" 'failing/cut <i>.gif failing/not_an_image.jpg failing/truncated.jpg' "$(found named)"
  check "failures with a reason at $size" 3 "$(found reasons)"
  check "the page of failures is wider than the window at $size" false "$(found wide)"
  in_order=$(found inOrder)
  check "groups, then refused pairs, at $size: $in_order" 1 "$(grep -c '^g\+r\+$' <<<"$in_order")"
  check "least alike first at $size" "$in_order" "$(found far)"
  check "most bytes first at $size" "$in_order" "$(found bytes)"
  check "in their order again at $size" "$in_order" "$(found order)"
done
"$IMGMILL" match failing/truncated.jpg sample_data/citrus.jpg --in 'my photos' --html failing.html >failing.out 2>failing.err
check "exit code of match where a query failed" 1 $?
check "what failed is a query" 1 "$(grep -c '<summary>1 query failed</summary>' failing.html)"
check "the query that failed" 1 "$(grep -c '<li>failing/<wbr>truncated.jpg: ' failing.html)"

# Many groups: 600 tiles and a copy of each.
"$IMGMILL" tile sample_data/{harbour,citrus,mountains,clock,marble}.jpg -o tiles --size 32 --stride 20 --format jpeg >tile.out 2>tile.err
mkdir many
find tiles -name '*.jpg' | sort | head -n 600 | while read -r tile; do
  cp "$tile" many && cp "$tile" "many/copy_${tile##*/}"
done
"$IMGMILL" dedup many --method exact --html many.html >many.out 2>many.err
probe many.html <<'JS'
await frame();
found.groups = all('section.group').length;
found.top = all('section.group:not(:empty)').length;
for (let i = 0; i < 20 && !all('section.group').at(-1).childElementCount; ++i) {
  all('section.group').at(-1).scrollIntoView();
  await frame();
}
await frame();
found.last = all('section.group').at(-1).childElementCount;
found.emptied = all('section.group')[0].childElementCount;
JS
counts=$(live probe.html 1000,900 "probe()")
groups=$(grep -c ^keep many.out)
check "many groups" "$groups" "$(found groups)"
check "at least 500 of them" 1 "$((groups >= 500))"
top=$(found top)
check "few are drawn at the top: $top" 1 "$((${top:-0} > 2 && ${top:-0} < 40))"
check "the last one, in view" 2 "$(found last)"
check "the first one, out of view" 0 "$(found emptied)"
finish
