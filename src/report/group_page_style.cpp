// How the page of groups looks, and what does not depend on the groups.
#include "group_page_parts.h"
#include "page_parts.h"

namespace imgmill {
namespace {

constexpr char kStyle[] = R"css(
body { max-width: none; padding: 0 0 4rem; }
button, select, input { font: inherit; color: inherit; background: var(--card); border: 1px solid var(--line);
  border-radius: 4px; padding: .2rem .6rem; }
button { cursor: pointer; }
button:hover { border-color: var(--soft); }
button:disabled { color: var(--soft); cursor: default; }
button.main { background: var(--through); border-color: var(--through); color: var(--paper); font-weight: 600; }
:focus-visible { outline: 2px solid var(--through); outline-offset: 1px; }
header { position: sticky; top: 0; z-index: 1; background: var(--paper); border-bottom: 1px solid var(--line);
  padding: .6rem 1.2rem; display: flex; flex-wrap: wrap; align-items: center; gap: .4rem .8rem; }
header h1 { margin: 0; font-size: 1.1rem; }
#totals { flex: 1 1 16rem; }
#find { width: 11rem; }
details.facts { margin: .8rem 1.2rem 0; overflow-wrap: anywhere; } details.facts summary { cursor: pointer; }
main { padding: .8rem 1.2rem 0; max-width: 100rem; margin: 0 auto; }
.group { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--line); border-radius: 4px;
  padding: .5rem .8rem .7rem; margin: 0 0 .7rem; scroll-margin: 4.5rem; min-height: 15rem; }
.group.at { border-left-color: var(--through); }
.group.out .strip { opacity: .45; }
.title { display: flex; flex-wrap: wrap; align-items: center; gap: .2rem .8rem; color: var(--soft); margin-bottom: .4rem; }
.title span { flex: 1; min-width: 8rem; overflow-wrap: anywhere; }
.strip { display: flex; flex-wrap: wrap; gap: .8rem 1rem; align-items: flex-start; }
figure { margin: 0; width: min-content; min-width: 9.5rem; }
figure > button { display: block; padding: 3px; border-width: 2px; background: none; line-height: 0; position: relative;
  max-width: 100%; }
figure.keep > button { border-color: var(--through); }
figure.goes > button { border-color: var(--dropped); }
figure.picked > button { outline: 2px solid var(--ink); outline-offset: 1px; }
figure img { display: block; max-width: 100%; }
.none { display: grid; place-items: center; color: var(--soft); background: var(--paper); font-size: 12px; line-height: 1.3; }
.badge { position: absolute; left: 6px; top: 6px; padding: 0 .45rem; border-radius: 3px; font-size: 12px; line-height: 1.5;
  background: var(--soft); color: var(--paper); font-weight: 600; }
.keep .badge { background: var(--through); } .goes .badge { background: var(--dropped); }
figcaption { font-size: 12.5px; line-height: 1.35; margin-top: .3rem; overflow-wrap: anywhere; }
figcaption a { color: inherit; } figcaption small { color: var(--soft); font-size: inherit; display: block; }
.do { display: flex; gap: .3rem; margin-top: .25rem; } .do button { font-size: 12px; padding: 0 .4rem; }
dialog { background: var(--paper); color: var(--ink); border: 1px solid var(--line); border-radius: 6px; padding: .7rem;
  max-width: 98vw; max-height: 98vh; }
dialog::backdrop { background: #000a; }
dialog .bar { display: flex; flex-wrap: wrap; align-items: center; gap: .3rem .5rem; margin-bottom: .5rem; }
dialog .bar b { flex: 1 1 14rem; overflow-wrap: anywhere; font-weight: 500; }
button[aria-pressed=true] { border-color: var(--through); box-shadow: inset 0 0 0 1px var(--through); }
#stage { position: relative; overflow: hidden; margin: 0 auto; background: repeating-conic-gradient(#8883 0 25%, #8881 0 50%) 0 / 16px 16px; }
#stage div { position: absolute; overflow: hidden; } #stage img { position: absolute; }
#stage.difference { isolation: isolate; background: #000; filter: brightness(3); }
#stage.difference .second { mix-blend-mode: difference; }
dl.keys { display: grid; grid-template-columns: max-content 1fr; gap: .25rem 1rem; margin: .2rem 0 .6rem; }
dl.keys dt { font: 13px/1.4 ui-monospace, monospace; } dl.keys dd { margin: 0; }
@media (max-width: 40rem) {
  header { position: static; padding: .6rem .7rem; } main { padding: .6rem .5rem 0; } .group { padding: .5rem .5rem .6rem; scroll-margin: .3rem; }
  .title span { flex-basis: 100%; } .strip { gap: .6rem; } figure { min-width: 0; flex: 0 1 calc(50% - .3rem); width: auto; }
  #totals { flex-basis: 100%; order: -1; } header h1 { display: none; } .wide { display: none; }
}
)css";

constexpr char kBodyBegin[] = R"html(
<div id="totals" role="status"></div>
<input id="find" type="search" placeholder="path contains" aria-label="Show groups with a path that contains">
<select id="sort" aria-label="Order of the groups">
<option value="order">in their order</option>
<option value="far">least alike first</option>
<option value="bytes">most bytes first</option>
</select>
<button id="keys" type="button" class="wide">Keys</button>
<button id="export" type="button" class="main">Export decisions</button>
</header>
<noscript><p class="facts">This page needs its script, which comes with it.</p></noscript>
)html";

constexpr char kBodyEnd[] = R"html(<main id="groups"></main>
<dialog id="look">
<div class="bar"><b id="names"></b>
<button type="button" id="flip" autofocus>Flip</button>
<button type="button" id="difference" aria-pressed="false">Difference</button>
<button type="button" id="previous" aria-label="previous">&lsaquo;</button>
<button type="button" id="next" aria-label="next">&rsaquo;</button>
<button type="button" id="close">Close</button></div>
<div id="stage"></div>
</dialog>
<dialog id="help"><dl class="keys">
<dt>&uarr; &darr;</dt><dd>the group before, the next group</dd>
<dt>&larr; &rarr;</dt><dd>an image of the group</dd>
<dt class="decides">Enter</dt><dd class="decides">keep this image, and let the others go</dd>
<dt class="decides">S</dt><dd class="decides">let this image stay, too</dd>
<dt class="decides">X</dt><dd class="decides">leave the whole group alone</dd>
<dt>F</dt><dd>look at it closely: Space flips, D shows the difference</dd>
<dt class="decides">E</dt><dd class="decides">export the decisions</dd>
</dl><button type="button" id="helped">Close</button></dialog>
)html";

}  // namespace

std::string GroupPageStyle() {
  return kStyle;
}

std::string GroupPageBody(const std::string& title, const PageFailures& failed) {
  return "<header><h1>" + Escaped(title) + "</h1>" + kBodyBegin + FailuresHtml(failed) + kBodyEnd;
}

}  // namespace imgmill
