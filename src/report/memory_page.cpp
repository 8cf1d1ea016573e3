// Puts the memory page together.
#include "imgmill/report/memory_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/counted.h"
#include "imgmill/base/byte_size.h"
#include "memory_page_parts.h"
#include "page_parts.h"

namespace imgmill {
namespace {

constexpr char kTitle[] = "imgmill: memory of a run";

constexpr char kStyle[] = R"css(
:root { --resident: #2563c9; --charged: #c2620a; --leased: #0f8a6c; --clear: #8a939c;
        --s0: #2563c9; --s1: #c2620a; --s2: #0f8a6c; --s3: #8a4fc0; --s4: #b8336a; --s5: #6b7280; }
@media (prefers-color-scheme: dark) {
  :root { --resident: #7aa7ff; --charged: #f0a35c; --leased: #4fd1ae; --clear: #7b858f;
          --s0: #7aa7ff; --s1: #f0a35c; --s2: #4fd1ae; --s3: #c79bf2; --s4: #f08ab4; --s5: #a3adb8; } }
h2 { font-size: 1.05rem; margin: 0 0 .4rem; }
.line { display: block; max-height: 7.2rem; overflow: auto; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .8rem; margin: 1.2rem 0; }
.tile { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem; }
.tile b { display: block; font-size: 1.35rem; font-weight: 600; line-height: 1.25; }
.tile span { color: var(--soft); font-size: 13px; }
figure { margin: 0 0 1.2rem; padding: 1rem 1.2rem .8rem; background: var(--card); border: 1px solid var(--line);
         border-radius: 6px; min-width: 0; }
figcaption p { margin: 0 0 .5rem; color: var(--soft); font-size: 13px; }
.legend { list-style: none; margin: 0 0 .8rem; padding: 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; font-size: 13px; }
.legend li::before { content: ""; display: inline-block; width: 1.1em; height: .28em; margin-right: .45em;
                     vertical-align: .22em; border-radius: 2px; background: var(--kind); }
.legend .budget::before, .legend .even::before { height: 0; background: none; border-top: 2px dashed var(--kind); border-radius: 0; }
.legend .mild::before, .legend .severe::before, .legend .clear::before { width: .6em; height: .6em; border-radius: 50%; vertical-align: 0; }
.legend .clear::before { width: .2em; height: .8em; border-radius: 0; }
.resident { --kind: var(--resident); } .charged { --kind: var(--charged); } .leased { --kind: var(--leased); }
.budget, .severe { --kind: var(--failed); } .mild { --kind: var(--dropped); } .clear { --kind: var(--clear); }
.peak { --kind: var(--resident); } .even { --kind: var(--soft); }
.s0 { --kind: var(--s0); } .s1 { --kind: var(--s1); } .s2 { --kind: var(--s2); } .s3 { --kind: var(--s3); }
.s4 { --kind: var(--s4); } .s5 { --kind: var(--s5); }
.plot { display: grid; grid-template: 20rem 1.6rem / 4.6rem 1fr; }
.pair .plot { grid-template-rows: 16rem 1.6rem; }
.y, .frame { position: relative; } .x { grid-column: 2; position: relative; }
.y span { position: absolute; right: .6rem; transform: translateY(50%); }
.x span { position: absolute; top: .25rem; transform: translateX(-50%); white-space: nowrap; }
.y span, .x span, .axis-name { color: var(--soft); font-size: 12px; font-variant-numeric: tabular-nums; white-space: nowrap; }
.axis-name { margin-bottom: .5rem; } .plot + .axis-name { text-align: right; margin: 0; }
.frame svg { position: absolute; inset: 0; width: 100%; height: 100%; overflow: visible; }
.frame path, .frame polyline { fill: none; vector-effect: non-scaling-stroke; }
.grid { stroke: var(--line); stroke-width: 1; }
.curve { stroke: var(--kind); stroke-width: 1.8; stroke-linejoin: round; }
.curve.leased, .curve.charged { stroke-width: 1.4; }
.curve.budget, .curve.even { stroke-dasharray: 6 4; stroke-width: 1.5; }
.area { fill: var(--kind); opacity: .12; }
.dots { stroke: var(--kind); stroke-width: 5; stroke-linecap: round; stroke-opacity: .75; }
.mark { stroke: var(--kind); stroke-width: 10; stroke-linecap: round; }
.stroke { stroke: var(--kind); stroke-width: 1; }
.label { position: absolute; padding: 0 .5rem .35rem; font-size: 12px; font-weight: 600; color: var(--kind); white-space: nowrap; }
.label.below { transform: translateY(100%); padding: .35rem .5rem 0; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 0 1.2rem; align-items: start; }
.wide { overflow-x: auto; }
table { border-radius: 6px; width: 100%; font-variant-numeric: tabular-nums; }
.pairs td { text-align: left; } .pairs td:first-child { color: var(--soft); }
.share { white-space: nowrap; } td small { display: block; color: var(--soft); }
.bar { display: inline-block; width: 4.5rem; height: .55em; background: var(--line); border-radius: 3px; overflow: hidden; vertical-align: .05em; }
.bar i { display: block; height: 100%; background: var(--resident); } .bar.warn i { background: var(--failed); }
.alert { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--failed); border-radius: 4px;
         padding: .6rem .9rem; margin: 0 0 1rem; overflow-wrap: anywhere; }
.alert.mild { border-left-color: var(--dropped); padding-left: 2rem; }
details { margin: 0 0 1.2rem; } summary { cursor: pointer; font-weight: 600; }
.troubles { padding-left: 1.2rem; overflow-wrap: anywhere; } .troubles li { margin: .25rem 0; }
.tag { font: 12px ui-monospace, monospace; color: var(--failed); border: 1px solid var(--line); border-radius: 3px; padding: 0 .3em; }
footer { color: var(--soft); font-size: 13px; margin-top: 1.5rem; overflow-wrap: anywhere; }
@media (max-width: 52rem) { .pair { grid-template-columns: minmax(0, 1fr); } }
@media (max-width: 34rem) { body { padding: 1rem .8rem; } figure { padding: .8rem .7rem .5rem; } .plot { grid-template: 15rem 1.6rem / 3.9rem 1fr; }
  .pair .plot { grid-template-rows: 14rem 1.6rem; } th, td { padding: .3rem .5rem; } .tiles { grid-template-columns: 1fr 1fr; gap: .5rem; }
  .tile b { font-size: 1.15rem; } .x span:nth-child(even) { display: none; } }
)css";

std::string Outcome(const StoredReport& report) {
  if (report.error && !report.counted) return "Ended by an error";
  if (!report.counted) return "A plan: nothing was done";
  std::string text = report.interrupted ? "Interrupted: " : "";
  text += Counted(report.listed, "image") + ": " + std::to_string(report.done) + " done, ";
  if (report.skipped > 0) text += std::to_string(report.skipped) + " skipped, ";
  // What the steps of a pipeline dropped is neither done nor failed.
  const uint64_t ended = report.done + report.skipped + report.failed_total;
  if (!report.steps.empty() && !report.interrupted && ended < report.listed)
    text += std::to_string(report.listed - ended) + " dropped, ";
  text += std::to_string(report.failed_total) + " failed";
  if (report.recalled > 0) text += "; " + std::to_string(report.recalled) + " answered by the catalog";
  if (report.interrupted) text += "; run the same command again to resume";
  return text;
}

std::string Tile(const std::string& figure, const std::string& name) {
  return "<div class=\"tile\"><b>" + figure + "</b><span>" + name + "</span></div>\n";
}

std::string Tiles(const StoredReport& report) {
  const PoolFigures host = report.summary().pools.front();
  std::string html = "<div class=\"tiles\">\n";
  if (report.counted)
    html += Tile(CountHtml("done", report.done) + " of " + CountHtml("listed", report.listed),
                 report.steps.empty() ? "images done" : "images through all steps");
  html += Tile(BytesHtml("tile-peak", host.peak), "at most, of a budget of " + FormatByteSize(host.budget));
  if (host.budget > 0)
    html += Tile(PercentText(static_cast<double>(host.peak) / static_cast<double>(host.budget)),
                 "of the budget at the peak");
  html += Tile(DurationText(report.seconds), "from start to end");
  if (report.has_history) html += Tile(CountHtml("tile-batches", report.history.batches_total), "batches");
  html += Tile(CountHtml("off-plan", report.off_plan), "images off plan, as memory was short");
  return html + "</div>\n";
}

std::string WhyNoCharts(const StoredReport& report) {
  if (!report.has_history)
    return "<p class=\"facts\" id=\"no-history\">This report has no history of batches and memory: an "
           "earlier version "
           "of imgmill wrote it.</p>\n";
  if (report.history.batches.empty())
    return "<p class=\"facts\" id=\"no-batches\">No batch: nothing had to be computed (a dry run, images "
           "that are known "
           "already, or an end before the first).</p>\n";
  return {};
}

}  // namespace

std::string BytesHtml(const std::string& name, size_t bytes) {
  return "<data class=\"" + name + "\" value=\"" + std::to_string(bytes) + "\">" + FormatByteSize(bytes) +
         "</data>";
}

std::string CountHtml(const std::string& name, uint64_t count) {
  return "<data class=\"" + name + "\" value=\"" + std::to_string(count) + "\">" + std::to_string(count) +
         "</data>";
}

std::string PercentText(double share) {
  char text[32];
  if (share != 0 && std::abs(share) < 0.0005) return "under 0.1 %";
  std::snprintf(text, sizeof text, std::abs(share) < 0.0995 && share != 0 ? "%.1f %%" : "%.0f %%",
                100 * share);
  return text;
}

std::string DurationText(double seconds) {
  char text[48];
  if (seconds < 1) {
    std::snprintf(text, sizeof text, "%.3g ms", 1000 * seconds);
  } else if (seconds < 120) {
    std::snprintf(text, sizeof text, "%.3g s", seconds);
  } else if (seconds < 7200) {
    std::snprintf(text, sizeof text, "%.0f min %.0f s", std::floor(seconds / 60), std::fmod(seconds, 60));
  } else {
    std::snprintf(text, sizeof text, "%.0f h %.0f min", std::floor(seconds / 3600),
                  std::floor(std::fmod(seconds, 3600) / 60));
  }
  return text;
}

std::vector<WorkSeries> SeriesOf(const MemoryHistory& history) {
  std::vector<WorkSeries> all;
  for (const BatchRecord& batch : history.batches) {
    const std::string name = batch.work + " on " + batch.device;
    auto known =
        std::find_if(all.begin(), all.end(), [&](const WorkSeries& each) { return each.name == name; });
    if (known == all.end()) {
      if (all.size() < kMostSeries) {
        known = all.insert(all.end(), {name, {}});
      } else {
        known = all.end() - 1;
        known->name = "others";
      }
    }
    known->batches.push_back(&batch);
  }
  return all;
}

std::string MemoryPageHtml(const StoredReport& report, const std::string& file) {
  std::string html = PageHead(kTitle, kStyle);
  html += "<h1>imgmill " + Escaped(report.command) + "</h1>\n<code class=\"line\">" +
          Breakable(report.command_line) + "</code>\n<p class=\"outcome\" id=\"outcome\">" + Outcome(report) +
          "</p>\n";
  html += Troubles(report) + Tiles(report) + WhyNoCharts(report) + MemoryOverTime(report);
  html += "<div class=\"pair\">" + BatchesOverTime(report) + PredictedAgainstActual(report) + "</div>\n";
  html += "<div class=\"pair\">" + SummaryTable(report) + "<div>" + RungsTable(report) + PoolsTable(report) +
          DeviceErrorsTable(report) + "</div></div>\n" + StepsTable(report) + WorkTable(report);
  return html + "<footer>drawn from " + Breakable(file) + ", written by imgmill " + Escaped(report.version) +
         " with " + Escaped(report.libraries) + "</footer>\n</body>\n</html>\n";
}

bool IsMemoryPage(const std::string& beginning) {
  return beginning.find("<title>" + std::string(kTitle) + "</title>") < 512;
}

}  // namespace imgmill
