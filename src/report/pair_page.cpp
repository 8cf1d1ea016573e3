// A card a pair: the partner lies over the image and is cut off where the slider stands.
#include "imgmill/report/pair_page.h"

#include "imgmill/report/data_uri.h"
#include "page_parts.h"

namespace imgmill {
namespace {

constexpr char kStyle[] = R"css(
h1 ~ .figures { margin: 0 0 1.2rem; }
.cards { display: grid; align-items: start; grid-template-columns: repeat(auto-fit, minmax(min(100%, 34rem), 1fr)); gap: .9rem; }
.card { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--through);
        border-radius: 4px; padding: .7rem .8rem; min-width: 0; }
.card.fails { border-left-color: var(--failed); }
.name { font-weight: 600; overflow-wrap: anywhere; } .partner { color: var(--soft); overflow-wrap: anywhere; }
.name a, .partner a { color: inherit; }
.why { color: var(--failed); }
.pictures { display: grid; grid-template-columns: 1fr 1fr; gap: .6rem; margin: .5rem 0 .3rem; }
.pictures figure { margin: 0; min-width: 0; } .pictures figcaption { color: var(--soft); font-size: 12px; }
.pictures img { display: block; width: 100%; max-height: 30rem; object-fit: contain; image-rendering: pixelated; }
.both { position: relative; --at: 50%; overflow: hidden; }
.both .other { position: absolute; inset: 0; height: 100%; clip-path: inset(0 0 0 var(--at)); }
.both::after { content: ""; position: absolute; top: 0; bottom: 0; left: var(--at); width: 2px; margin-left: -1px;
               background: #fff; box-shadow: 0 0 2px #000; pointer-events: none; }
.both input { position: absolute; inset: 0; width: 100%; height: 100%; margin: 0; opacity: 0; cursor: ew-resize; }
.both input:focus-visible { opacity: 1; background: transparent; }
.figures { margin: .3rem 0 0; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; }
.figures div { display: flex; gap: .4rem; } .figures dt { color: var(--soft); } .figures dd { margin: 0; }
.scale { display: inline-block; width: 9rem; height: .7rem; vertical-align: middle; border: 1px solid var(--line);
         background: linear-gradient(90deg, #000008, #3e0f72, #b63679, #fb8861, #fcfdbf); }
)css";

std::string Link(const std::string& target, const std::string& text) {
  return "<a href=\"" + Escaped(target) + "\">" + Breakable(text) + "</a>";
}

std::string Figures(const std::string& before,
                    const std::vector<std::pair<std::string, std::string>>& figures) {
  std::string html = "<dl class=\"figures\">";
  for (const auto& [name, value] : figures)
    html += "<div><dt>" + before + Escaped(name) + "</dt><dd>" + Escaped(value) + "</dd></div>";
  return html + "</dl>";
}

}  // namespace

std::string PairPageBegin(const PairPageHead& head) {
  std::string html = PageHead("imgmill compare", kStyle);
  html +=
      "<h1>imgmill compare</h1>\n<p class=\"outcome\">" + Escaped(head.outcome) + "</p>\n<p class=\"facts\">";
  for (const std::string& fact : head.facts) html += Escaped(fact) + "<br>\n";
  html += "Maps of differences: " + Escaped(head.heat_from) + " <span class=\"scale\"></span> " +
          Escaped(head.heat_to) + "</p>\n" + Figures("mean ", head.means) + "\n";
  if (head.not_shown > 0) {
    html += "<p class=\"facts\">" + std::to_string(head.not_shown) +
            " better pairs are not on this page; --csv and --json list all.</p>\n";
  }
  return html + FailuresHtml(head.failed) + "<div class=\"cards\">\n";
}

std::string PairPageCard(const PairCard& card) {
  std::string html = card.why.empty() ? "<div class=\"card\">" : "<div class=\"card fails\">";
  html += "<div class=\"name\">" + Link(card.link, card.name) + "</div>\n<div class=\"partner\">" +
          Link(card.partner_link, card.partner) + "</div>\n";
  if (!card.why.empty()) html += "<div class=\"why\">" + Escaped(card.why) + "</div>\n";
  html += "<div class=\"pictures\"><figure><div class=\"both\"><img alt=\"the image\" src=\"" +
          JpegUri(card.image) + "\"><img class=\"other\" alt=\"its partner\" src=\"" + JpegUri(card.other) +
          "\"><input type=\"range\" min=\"0\" max=\"100\" value=\"50\" aria-label=\"how much of the image is "
          "shown\" "
          "oninput=\"this.parentNode.style.setProperty('--at', this.value + '%')\"></div>"
          "<figcaption>left: image, right: partner (drag the line)</figcaption></figure>\n"
          "<figure><img alt=\"where they differ\" src=\"" +
          JpegUri(card.heat) + "\"><figcaption>difference</figcaption></figure></div>\n" +
          Figures("", card.figures);
  return html + "</div>\n";
}

std::string PairPageEnd() {
  return "</div>\n</body>\n</html>\n";
}

}  // namespace imgmill
