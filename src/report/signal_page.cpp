// A card a signal: its histogram as SVG, stretched to the width there is, and rows of small pictures.
#include "imgmill/report/signal_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/counted.h"
#include "imgmill/report/data_uri.h"
#include "page_parts.h"

namespace imgmill {
namespace {

constexpr int kChartHeight = 100;

constexpr char kStyle[] = R"css(
.signal { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .8rem 1rem; margin: 0 0 1rem; }
.signal h2 { font-size: 1.05rem; margin: 0; } .signal h2 span { font-weight: 400; color: var(--soft); font-size: .9rem; }
.chart { margin: .6rem 0 .2rem; } .chart svg { display: block; width: 100%; height: 6rem; }
.chart rect { fill: var(--soft); } .chart line { stroke: var(--failed); stroke-width: 2; vector-effect: non-scaling-stroke; }
.axis { display: flex; justify-content: space-between; color: var(--soft); font-size: 12px; border-top: 1px solid var(--line); }
.values { border-collapse: collapse; margin: .6rem 0 .2rem; } .values td { padding: 0 1rem 0 0; } .values td + td { text-align: right; }
.cut { margin: .6rem 0 0; } .cut .rule { color: var(--failed); }
.sides { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: .4rem 1.5rem; }
.sides h3 { font-size: .8rem; font-weight: 600; color: var(--soft); margin: .3rem 0 .2rem; }
.examples { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .4rem; }
.examples a { color: inherit; text-decoration: none; font-size: 12px; min-width: 0; }
.examples img, .examples i { display: block; width: 100%; aspect-ratio: 4 / 3; object-fit: contain; background: var(--paper); }
.examples span { display: block; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.examples .value, .examples .note { color: var(--soft); }
)css";

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string Chart(const SignalCard& card) {
  const uint64_t most = std::max<uint64_t>(1, *std::max_element(card.bars.begin(), card.bars.end()));
  const std::string width = std::to_string(card.bars.size());
  std::string svg = "<div class=\"chart\"><svg role=\"img\" aria-label=\"how many images have which " +
                    Escaped(card.name) + "\" viewBox=\"0 0 " + width + " " + std::to_string(kChartHeight) +
                    "\" preserveAspectRatio=\"none\">";
  for (size_t i = 0; i < card.bars.size(); ++i) {
    if (card.bars[i] == 0) continue;
    // Roots, so that a bar of one image is seen beside one of thousands.
    const double share = std::sqrt(static_cast<double>(card.bars[i]) / static_cast<double>(most));
    const double height = std::max(2.0, share * kChartHeight);
    svg += "<rect x=\"" + Number(static_cast<double>(i) + 0.05) + "\" y=\"" + Number(kChartHeight - height) +
           "\" width=\"0.9\" height=\"" + Number(height) + "\"><title>" + Counted(card.bars[i], "image") +
           "</title></rect>";
  }
  for (const SignalCut& cut : card.cuts) {
    if (cut.place < 0 || cut.place > 1) continue;
    const std::string x = Number(cut.place * static_cast<double>(card.bars.size()));
    svg += "<line x1=\"" + x + "\" x2=\"" + x + "\" y1=\"0\" y2=\"" + std::to_string(kChartHeight) +
           "\"><title>" + Escaped(cut.text) + "</title></line>";
  }
  return svg + "</svg><div class=\"axis\"><span>" + Escaped(card.from) + "</span><span>" + Escaped(card.to) +
         "</span></div></div>\n";
}

std::string Values(const SignalCard& card) {
  std::string html = "<table class=\"values\">\n";
  for (const auto& [value, images] : card.values)
    html += "<tr><td>" + Escaped(value) + "</td><td>" + std::to_string(images) + "</td></tr>\n";
  return html + "</table>\n";
}

std::string Side(const std::string& title, const std::vector<SignalExample>& examples) {
  if (examples.empty()) return "";
  std::string html = "<div><h3>" + Escaped(title) + "</h3><div class=\"examples\">";
  for (const SignalExample& each : examples) {
    html += "<a " + (each.link.empty() ? "" : "href=\"" + Escaped(each.link) + "\" ") + "title=\"" +
            Escaped(each.name + (each.note.empty() ? "" : ", " + each.note)) + "\">";
    html += each.jpeg.empty() ? "<i></i>" : "<img alt=\"\" src=\"" + JpegUri(each.jpeg) + "\">";
    html += "<span class=\"value\">" + Escaped(each.value) + "</span><span>" +
            Escaped(each.name.substr(each.name.rfind('/') + 1)) + "</span>";
    if (!each.note.empty()) html += "<span class=\"note\">" + Escaped(each.note) + "</span>";
    html += "</a>";
  }
  return html + "</div></div>";
}

}  // namespace

std::string SignalPageBegin(const std::string& outcome, const std::vector<std::string>& facts,
                            const PageFailures& failed) {
  std::string html = PageHead("imgmill filter", kStyle) + "<h1>imgmill filter</h1>\n<p class=\"outcome\">" +
                     Escaped(outcome) + "</p>\n<p class=\"facts\">";
  for (const std::string& fact : facts) html += Escaped(fact) + "<br>\n";
  return html + "</p>\n" + FailuresHtml(failed);
}

std::string SignalPageCard(const SignalCard& card) {
  std::string html = "<section class=\"signal\" id=\"" + Escaped(card.name) + "\"><h2>" + Escaped(card.name) +
                     " <span>" + (card.unit.empty() ? "" : Escaped(card.unit) + ": ") +
                     Escaped(card.meaning) + (card.bars.empty() ? "" : "; median " + Escaped(card.median)) +
                     "</span></h2>\n";
  if (!card.bars.empty()) html += Chart(card);
  if (!card.values.empty()) html += Values(card);
  if (!card.note.empty()) html += "<div class=\"facts\">" + Escaped(card.note) + "</div>\n";
  for (const SignalCut& cut : card.cuts) {
    html += "<div class=\"cut\">";
    if (!cut.text.empty()) html += "<div class=\"rule\">" + Escaped(cut.text) + "</div>";
    html +=
        "<div class=\"sides\">" + Side(cut.before, cut.below) + Side(cut.after, cut.above) + "</div></div>\n";
  }
  return html + "</section>\n";
}

std::string SignalPageEnd() {
  return "</body>\n</html>\n";
}

}  // namespace imgmill
