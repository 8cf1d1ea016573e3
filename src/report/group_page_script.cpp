// Draws the groups that are in view, keeps what is decided of them, and exports it.
#include "group_page_parts.h"

namespace imgmill {
namespace {

constexpr char kScript[] = R"js('use strict';
const byId = id => document.getElementById(id);
const head = JSON.parse(byId('head').textContent);
const pictures = document.querySelectorAll('script.pictures');
const decides = head.decides && !head.acted;

// What is known and decided of each group. `keep` and `stay` are places among its images.
const groups = [...document.querySelectorAll('script.group')].map((block, n) => {
  const [title, ...images] = JSON.parse(block.textContent), {why, refused} = title;
  for (const image of images) if (!image.width) Object.assign(image, {width: 320, height: 240, unknown: true});
  return {n, why, refused: !!refused, decides: decides && !refused, images, keep: 0, stay: new Set(), out: false, section: document.createElement('section')};
});
let shown = groups, at = 0, picked = 0;

const links = new Map();
for (const g of groups) if (g.decides) g.images.forEach((image, i) => { if (image.isLink) links.set(image.path, [g, i]); });

// A file stays while a link to it does: that would lead nowhere.
const goes = (g, i) => g.decides && !g.out && i !== g.keep && !g.stay.has(i) && !g.images[i].fixed && !heldBy(g, i);
const heldBy = (g, i) => (g.images[i].linkedBy || []).find(path => !links.has(path) || !goes(...links.get(path)));

function size(bytes) {
  let unit = 0;
  for (; bytes >= 1024 && unit < 4; ++unit) bytes /= 1024;
  return (unit ? bytes.toFixed(1) : bytes) + [' B', ' KiB', ' MiB', ' GiB', ' TiB'][unit];
}

// A file with several names is free once all of them go.
function freed() {
  let bytes = 0, images = 0;
  const names = new Map();
  for (const g of groups) g.images.forEach((image, i) => {
    if (!goes(g, i)) return;
    ++images;
    if (image.isLink) return;
    if (!image.names) { bytes += image.bytes; return; }
    const going = (names.get(image.identity.inode) || 0) + 1;
    names.set(image.identity.inode, going);
    if (going === image.names) bytes += image.bytes;
  });
  return {bytes, images};
}

const many = (n, what) => n.toLocaleString('en') + ' ' + what + (n === 1 ? '' : 's');

function total() {
  const decided = groups.filter(g => !g.refused), refused = groups.length - decided.length;
  let text = many(decided.length, head.decides ? 'group' : 'query').replace('querys', 'queries');
  const listed = shown.filter(g => !g.refused);
  if (listed.length !== decided.length) text += ', ' + listed.length + ' shown';
  if (head.decides) {
    const {bytes, images} = freed(), out = groups.filter(g => g.out).length;
    const done = decided.reduce((sum, g) => sum + g.images.filter(image => image.done).length, 0);
    text += decides ? ': ' + many(images, 'image') + ' to go, which frees ' + size(bytes)
                    : ': ' + many(done, 'image') + ' ' + head.acted;
    if (out) text += '; ' + many(out, 'group') + ' left alone';
    if (refused) text += '; ' + many(refused, 'refused pair');
  }
  byId('totals').textContent = text;
}

// The browser remembers what was decided on this very page.
const memory = 'imgmill ' + head.id;
function remember() {
  const changed = groups.filter(g => g.keep || g.out || g.stay.size).map(g => [g.n, g.keep, g.out, [...g.stay]]);
  try { localStorage.setItem(memory, JSON.stringify(changed)); } catch (full) { /* then it does not */ }
}
function recall() {
  try {
    for (const [n, keep, out, stay] of JSON.parse(localStorage.getItem(memory)) || [])
      Object.assign(groups[n], {keep, out, stay: new Set(stay)});
  } catch (none) { /* nothing to remember */ }
}

function make(tag, properties, ...children) {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
}

// Names may be broken behind a slash or an underscore.
const breakable = path => path.split(/(?<=[/_])/).flatMap(part => [part, document.createElement('wbr')]);

// Sides on the screen, such that what two images of a group show has one scale.
function sides(g, i) {
  const narrow = innerWidth < 640, first = g.images[0], image = g.images[i];
  const most = narrow ? [innerWidth / 2 - 42, 170] : head.decides ? [280, 200] : [200, 150];
  const fit = Math.min(most[0] / first.width, most[1] / first.height, 4);
  const swaps = image.pose & 4;
  const width = swaps ? image.height : image.width, height = swaps ? image.width : image.height;
  const [left, top, right, bottom] = image.box || [0, 0, 1, 1];
  let scale = image.box ? Math.max((right - left) * first.width / width, (bottom - top) * first.height / height)
                        : Math.sqrt(first.width * first.height / (width * height));
  scale = Math.min(fit * scale, 1.7 * most[0] / image.width, 1.7 * most[1] / image.height);
  return [image.width * scale, image.height * scale];
}

// "=17 3": the picture that stands at place 3 of group 17.
function urisOf(g) {
  return pictures[g.n].textContent.split('\n').map(uri => {
    if (uri[0] !== '=') return uri;
    const [n, i] = uri.slice(1).split(' ');
    return pictures[n].textContent.split('\n')[i];
  });
}

function figure(g, i, uri) {
  const image = g.images[i], [width, height] = sides(g, i).map(Math.round);
  const style = `width:${Math.max(width, 8)}px;height:auto;aspect-ratio:${image.width}/${image.height}`;
  const isFile = image.link || image.gone;
  const picture = uri ? make('img', {src: uri, alt: '', style}) : make('div', {className: 'none', style}, isFile ? 'no picture' : image.path);
  if (width > image.width && uri) picture.style.imageRendering = 'pixelated';
  const state = !head.decides ? (i ? '' : 'query') : g.refused ? '' : i === g.keep ? 'keep' : goes(g, i) || image.done ? 'goes' : 'stays';
  const badge = image.done ? head.acted : image.gone ? 'gone' : state;
  const button = make('button', {type: 'button', title: g.decides ? 'Keep this image' : 'Look at it closely'}, picture);
  if (badge) button.append(make('span', {className: 'badge'}, badge));
  button.setAttribute('aria-label', image.path + (badge && ', ' + badge));
  button.onclick = () => { pick(g, i); if (g.decides) keep(g, i); else look(g, i); };
  const name = image.link ? make('a', {href: image.link}, ...breakable(image.path)) : image.gone ? make('span', {}, ...breakable(image.path)) : '';
  const facts = !isFile ? '' : (image.unknown ? '' : image.width + '\u00d7' + image.height + ', ') + size(image.bytes) +
                (image.isLink ? ', a link' : image.names ? ', ' + image.names + ' names' : '');
  const caption = make('figcaption', {}, name, make('small', {}, facts), make('small', {}, image.how),
                       make('small', {}, ...(image.was ? ['moved from ', ...breakable(image.was)] : image.gone ? ['no longer there'] : [])));
  const todo = make('div', {className: 'do'});
  if (i > 0 && (g.images[0].link || g.images[0].gone)) todo.append(make('button', {type: 'button', className: 'closely', onclick: () => { pick(g, i); look(g, i); }}, 'Look'));
  const free = g.decides && i !== g.keep && !g.out && !image.fixed, link = free && heldBy(g, i);
  if (link) caption.append(make('small', {}, 'stays, since a link to it does: ', ...breakable(link)));
  if (free && !link)
    todo.append(make('button', {type: 'button', className: 'stay', onclick: () => { pick(g, i); stay(g, i); }},
                     g.stay.has(i) ? 'Let it go' : 'Let it stay'));
  caption.append(todo);
  const classes = state + (g === shown[at] && i === picked ? ' picked' : '');
  const made = make('figure', {className: classes}, button, caption);
  if (innerWidth >= 640) made.style.width = Math.max(width + 10, 152) + 'px';
  return made;
}

function draw(g) {
  const uris = urisOf(g);
  const title = make('div', {className: 'title'}, make('span', {}, `${g.n + 1}. ${g.keep ? 'kept by you' : g.why}`.trim()));
  if (g.decides)
    title.append(make('button', {type: 'button', className: 'out', onclick: () => { pick(g, 0); leave(g); }},
                      g.out ? 'Take it up again' : 'Leave this group alone'));
  const focus = [...g.section.querySelectorAll('button, a')].indexOf(document.activeElement);
  g.section.className = 'group' + (g === shown[at] ? ' at' : '') + (g.out ? ' out' : '');
  g.section.replaceChildren(title, make('div', {className: 'strip'}, ...g.images.map((_, i) => figure(g, i, uris[i]))));
  if (focus >= 0) g.section.querySelectorAll('button, a')[focus]?.focus();
  g.section.style.height = '';
  g.drawn = true;
}

// Groups are drawn when they come near, and empty again, as high as they were, when they are far.
const watcher = new IntersectionObserver(entries => {
  for (const {target, isIntersecting} of entries) {
    const g = groups[target.dataset.n];
    if (isIntersecting && !g.drawn) draw(g);
    if (isIntersecting || !g.drawn) continue;
    target.style.height = target.offsetHeight + 'px';
    target.replaceChildren();
    g.drawn = false;
  }
}, {rootMargin: '900px'});

function again(g) { if (g.drawn) draw(g); }
function changed(g) {
  if (links.size) groups.forEach(again);
  else again(g);
  total();
  remember();
}

function keep(g, i) {
  if (!g.decides || g.images[g.keep].fixed || g.images[i].fixed) return;
  g.keep = i;
  g.stay.delete(i);
  changed(g);
}
function stay(g, i) {
  if (!g.decides || i === g.keep) return;
  if (!g.stay.delete(i)) g.stay.add(i);
  changed(g);
}
function leave(g) {
  if (!g.decides) return;
  g.out = !g.out;
  changed(g);
}

function pick(g, i, scroll) {
  const before = shown[at];
  at = shown.indexOf(g), picked = i;
  if (before && before !== g) again(before);
  again(g);
  if (!scroll) return;
  g.section.scrollIntoView({block: 'nearest'});
  g.section.querySelectorAll('figure > button')[i]?.focus({preventScroll: true});
}
function go(step) {
  const g = shown[Math.min(Math.max(at + step, 0), shown.length - 1)];
  if (g) pick(g, 0, true);
}

// Sorts and filters; refused pairs stay behind the groups. Sections are moved, not made anew.
function arrange() {
  const word = byId('find').value.toLowerCase(), by = byId('sort').value;
  const far = g => Math.max(...g.images.map(image => image.far || 0));
  const bytes = g => g.images.reduce((sum, image, i) => sum + (i ? image.bytes : 0), 0);
  shown = groups.filter(g => !word || g.images.some(image => image.path.toLowerCase().includes(word)));
  const key = {far, bytes}[by] || (() => 0);
  shown.sort((a, b) => a.refused - b.refused || key(b) - key(a) || a.n - b.n);
  const before = groups.find(g => g.section.classList.contains('at'));
  at = picked = 0;
  byId('groups').replaceChildren(...shown.map(g => g.section));
  if (before) again(before);
  if (shown[0]) again(shown[0]);
  scrollTo(0, 0);
  total();
}

// Two images in one place: the first of the group, and another one laid upon it. The files themselves are shown where
// the browser can, else the small pictures.
const pair = {g: null, i: 0, box: null, second: false, difference: false};

function layer(g, i, box, frame) {
  const image = g.images[i], uri = urisOf(g)[i], pose = i && image.pose || 0;
  const [left, top, right, bottom] = box;
  const w = (right - left) * frame.width, h = (bottom - top) * frame.height, swaps = pose & 4;
  const img = make('img', {decoding: 'sync', src: image.link || uri, alt: ''});
  img.onerror = () => { img.onerror = null; if (uri) img.src = uri; };
  Object.assign(img.style, swaps ? {width: h + 'px', height: w + 'px', left: (w - h) / 2 + 'px', top: (h - w) / 2 + 'px'}
                                 : {width: w + 'px', height: h + 'px', left: 0, top: 0});
  // Where the picture's own right and down lead to on the stage.
  const x = pose & 1 ? -1 : 1, y = pose & 2 ? -1 : 1;
  img.style.transform = swaps ? `matrix(0,${x},${y},0,0,0)` : `matrix(${x},0,0,${y},0,0)`;
  const div = make('div', {className: i ? 'second' : 'first'}, img);
  Object.assign(div.style, {left: left * frame.width + 'px', top: top * frame.height + 'px', width: w + 'px', height: h + 'px'});
  return div;
}

function look(g, i) {
  if (g.images.length < 2 || !(g.images[0].link || g.images[0].gone)) return;
  Object.assign(pair, {g, i: i || 1, second: false});
  lay();
  if (!byId('look').open) byId('look').showModal();
}

function lay() {
  const {g, i} = pair, first = g.images[0], second = g.images[i];
  const scale = Math.min((innerWidth * .96 - 30) / first.width, (innerHeight * .94 - 110) / first.height, 8);
  const frame = {width: first.width * scale, height: first.height * scale};
  pair.box = second.box;
  if (!pair.box) {  // as large as fits
    const swaps = second.pose & 4, width = swaps ? second.height : second.width, height = swaps ? second.width : second.height;
    const fits = Math.min(first.width / width, first.height / height);
    const w = width * fits / first.width / 2, h = height * fits / first.height / 2;
    pair.box = [.5 - w, .5 - h, .5 + w, .5 + h];
  }
  Object.assign(byId('stage').style, {width: frame.width + 'px', height: frame.height + 'px'});
  byId('stage').replaceChildren(layer(g, 0, [0, 0, 1, 1], frame), layer(g, i, pair.box, frame));
  byId('previous').disabled = i <= 1;
  byId('next').disabled = i + 1 >= g.images.length;
  show();
}

// Both stay where they are, so that a flip does not flicker.
function show() {
  const {g, i} = pair, first = g.images[0], second = g.images[i], [below, above] = byId('stage').children;
  const [left, top, right, bottom] = pair.box.map(part => part * 100);
  below.style.clipPath = pair.difference ? `inset(${top}% ${100 - right}% ${100 - bottom}% ${left}%)` : '';
  below.style.visibility = !pair.difference && pair.second ? 'hidden' : '';
  above.style.visibility = !pair.difference && !pair.second ? 'hidden' : '';
  byId('stage').className = pair.difference ? 'difference' : '';
  byId('difference').setAttribute('aria-pressed', pair.difference);
  const image = pair.second ? second : first, place = (pair.second ? i : 0) + 1;
  const what = pair.difference ? ['difference of ', ...breakable(first.path), ' and ', ...breakable(second.path)]
    : [`${place} of ${g.images.length}: `, ...breakable(image.path), image.unknown ? '' : ` (${image.width}\u00d7${image.height}, ${size(image.bytes)})`];
  byId('names').replaceChildren(...what, second.how ? ' \u2014 ' + second.how : '');
}
function flip() { pair.second = pair.difference ? pair.second : !pair.second; pair.difference = false; show(); }
function differ() { pair.difference = !pair.difference; show(); }
function turn(step) {
  if (pair.i + step < 1 || pair.i + step >= pair.g.images.length) return;
  pair.i += step;
  lay();
}

function decisions() {
  const file = image => ({path: image.path, ...image.identity});
  const decided = groups.map(g => ({keep: file(g.images[g.keep]),
                                    duplicates: g.images.filter((_, i) => goes(g, i)).map(file)}));
  return JSON.stringify({schema: 'imgmill-decisions/1', folder: head.folder,
                         groups: decided.filter(g => g.duplicates.length)}, null, 1) + '\n';
}
function save() {
  const url = URL.createObjectURL(new Blob([decisions()], {type: 'application/json'}));
  make('a', {href: url, download: 'decisions.json'}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

addEventListener('keydown', event => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.matches('input, select')) return;
  const g = shown[at], open = byId('look').open;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (byId('help').open || !g) return;
  const many = g.images.length;
  const of = open ? {' ': flip, f: flip, d: differ, ArrowLeft: () => turn(-1), ArrowRight: () => turn(1)}
                  : {ArrowDown: () => go(1), ArrowUp: () => go(-1), ArrowLeft: () => pick(g, Math.max(picked - 1, 0), true),
                     ArrowRight: () => pick(g, Math.min(picked + 1, many - 1), true), Enter: () => keep(g, picked),
                     s: () => stay(g, picked), x: () => leave(g), f: () => look(g, picked), '?': () => byId('help').showModal()};
  if (!byId('export').hidden && !open) of.e = save;
  if (!of[key] || ([' ', 'Enter'].includes(key) && event.target.matches('button, a'))) return;
  event.preventDefault();
  of[key]();
});

byId('export').onclick = save;
byId('export').hidden = !groups.some(g => g.decides);
byId('keys').onclick = () => byId('help').showModal();
byId('helped').onclick = () => byId('help').close();
byId('flip').onclick = flip;
byId('difference').onclick = differ;
byId('previous').onclick = () => turn(-1);
byId('next').onclick = () => turn(1);
byId('close').onclick = () => byId('look').close();
byId('sort').onchange = byId('find').oninput = arrange;
if (!head.decides) byId('sort').querySelector('[value=bytes]').remove();
if (!decides) document.querySelectorAll('.decides').forEach(element => element.remove());
addEventListener('resize', () => { groups.forEach(again); if (byId('look').open) lay(); });

if (decides) recall();
groups.forEach(g => { g.section.dataset.n = g.n; g.section.className = 'group'; watcher.observe(g.section); });
arrange();
)js";

}  // namespace

std::string_view GroupPageScript() {
  return kScript;
}

}  // namespace imgmill
