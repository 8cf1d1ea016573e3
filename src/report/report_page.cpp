// Draws the report page: sums on top, then a card an image, coloured by how it ended.
#include "imgmill/report/report_page.h"

#include <array>
#include <filesystem>

#include "archive/archive_path.h"
#include "base/percent_encoded.h"
#include "page_parts.h"

namespace imgmill {
namespace {

// The radio buttons stand before the cards, so that CSS alone can hide what was not asked for.
constexpr char kStyle[] = R"css(
.show { margin: 0 .2rem 0 0; padding: .25rem .8rem; border: 1px solid var(--line); border-radius: 1rem;
        background: var(--card); display: inline-block; cursor: pointer; }
input[name=show] { position: absolute; opacity: 0; }
input[name=show]:checked + .show { border-color: var(--ink); font-weight: 600; }
input[name=show]:focus-visible + .show { outline: 2px solid var(--ink); }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: .8rem; margin-top: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-left: 4px solid var(--through);
        border-radius: 4px; padding: .6rem .7rem; display: flex; gap: .7rem; min-width: 0; }
.wide { overflow-x: auto; }
.card.dropped { border-left-color: var(--dropped); } .card.failed { border-left-color: var(--failed); }
.frame { flex: 0 0 96px; height: 96px; display: flex; align-items: center; justify-content: center;
         color: var(--soft); font-size: 12px; background: var(--paper); }
.frame img { max-width: 96px; max-height: 96px; }
.card > div:last-child { min-width: 0; }
.name { font-weight: 600; overflow-wrap: anywhere; } .name a { color: inherit; }
.way { margin: .2rem 0 0; padding: 0; list-style: none; font-size: 13px; }
.way li { overflow-wrap: anywhere; }
li.kept b { color: var(--through); } li.dropped b { color: var(--dropped); } li.failed b { color: var(--failed); }
.way a { color: var(--soft); }
#only-through:checked ~ .cards .card:not(.through), #only-dropped:checked ~ .cards .card:not(.dropped),
#only-failed:checked ~ .cards .card:not(.failed) { display: none; }
)css";

std::string Link(const std::string& target, const std::string& text) {
  return target.empty() ? Breakable(text) : "<a href=\"" + Escaped(target) + "\">" + Breakable(text) + "</a>";
}

/// "kept", or "kept 6, dropped 2" where a step met several files made of the image; "done" where a step
/// writes.
std::string Verdict(const StepVerdict& stop) {
  const std::array<std::pair<const char*, uint64_t>, 3> parts = {
      {{stop.outputs.empty() ? "kept" : "done", stop.kept},
       {"dropped", stop.dropped},
       {"failed", stop.failed}}};
  const bool one = stop.kept + stop.dropped + stop.failed == 1;
  std::string text;
  for (const auto& [word, count] : parts) {
    if (count == 0) continue;
    text += (text.empty() ? "" : ", ") + std::string(word) + (one ? "" : " " + std::to_string(count));
  }
  return text;
}

const char* ClassOf(const StepVerdict& stop) {
  if (stop.failed > 0) return "failed";
  return stop.kept > 0 ? "kept" : "dropped";
}

/// How the image's way ended: the class of its card.
const char* EndOf(const PageImage& image) {
  for (const StepVerdict& stop : image.way) {
    if (stop.failed > 0) return "failed";
  }
  return image.way.empty() || image.way.back().kept > 0 ? "through" : "dropped";
}

std::string StopHtml(const StepVerdict& stop) {
  std::string html = "<li class=\"" + std::string(ClassOf(stop)) + "\">" + Escaped(stop.step) + ": <b>" +
                     Verdict(stop) + "</b>";
  std::string reasons;
  for (const std::string& reason : stop.reasons) reasons += (reasons.empty() ? "" : "; ") + reason;
  if (!reasons.empty()) html += ", " + Breakable(reasons);
  if (!stop.outputs.empty()) {
    const size_t count = stop.outputs.size();
    html += " &rarr; " + Link(stop.outputs.front(), count == 1 ? "1 file" : std::to_string(count) + " files");
  }
  return html + "</li>\n";
}

std::string CardHtml(const PageImage& image) {
  std::string html = "<div class=\"card " + std::string(EndOf(image)) + "\"><div class=\"frame\">";
  html += image.thumbnail.empty() ? "no thumbnail" : "<img alt=\"\" src=\"" + image.thumbnail + "\">";
  html += "</div><div><div class=\"name\">" + Link(image.link, image.name) + "</div>\n<ul class=\"way\">\n";
  for (const StepVerdict& stop : image.way) html += StopHtml(stop);
  return html + "</ul></div></div>\n";
}

std::string StepsTable(const std::vector<PageStep>& steps) {
  std::string html =
      "<div "
      "class=\"wide\"><table>\n<tr><th>step</th><th>listed</th><th>kept</th><th>dropped</th><th>failed</"
      "th><th></th></tr>\n";
  for (const PageStep& step : steps) {
    html += "<tr><td>" + Escaped(step.name) + "</td>";
    for (const uint64_t count : {step.listed, step.kept, step.dropped, step.failed})
      html += "<td>" + std::to_string(count) + "</td>";
    html += "<td>" + Escaped(step.summary) + "</td></tr>\n";
  }
  return html + "</table></div>\n";
}

std::string ShowButton(const char* id, const std::string& text, bool checked) {
  return "<input type=\"radio\" name=\"show\" id=\"" + std::string(id) + "\"" + (checked ? " checked" : "") +
         "><label class=\"show\" for=\"" + id + "\">" + text + "</label>\n";
}

}  // namespace

std::string PageHtml(const ReportPage& page) {
  std::string html = PageHead("Images of a run", kStyle);
  html += "<h1>Images of a run</h1>\n<code>" + Escaped(page.command_line) + "</code>\n<p class=\"outcome\">" +
          Escaped(page.outcome) + "</p>\n<p class=\"facts\">";
  for (size_t i = 0; i < page.facts.size(); ++i) html += (i > 0 ? "<br>\n" : "") + Escaped(page.facts[i]);
  html += "</p>\n" + StepsTable(page.steps);

  std::array<uint64_t, 3> ends = {};
  for (const PageImage& image : page.images) {
    const std::string end = EndOf(image);
    ++ends[end == "through" ? 0 : end == "dropped" ? 1 : 2];
  }
  html += ShowButton("only-all", "all " + std::to_string(page.images.size()), true) +
          ShowButton("only-through", "kept " + std::to_string(ends[0]), false) +
          ShowButton("only-dropped", "dropped " + std::to_string(ends[1]), false) +
          ShowButton("only-failed", "failed " + std::to_string(ends[2]), false);
  if (page.not_shown > 0) {
    html += "<p class=\"facts\">" + std::to_string(page.not_shown) +
            " more images are not on this page; the JSON report counts all.</p>\n";
  }
  html += "<div class=\"cards\">\n";
  for (const PageImage& image : page.images) html += CardHtml(image);
  return html + "</div>\n</body>\n</html>\n";
}

std::string PercentEncoded(const std::string& path) {
  return PercentEncoded(path, "-_./");
}

std::string FolderOfPage(const std::string& page_file) {
  return std::filesystem::absolute(page_file).parent_path().lexically_normal().string();
}

std::string LinkFrom(const std::string& folder, const std::string& path) {
  // No browser looks into an archive.
  const std::optional<ArchivePath> archive = IntoArchive(path);
  const std::filesystem::path target =
      std::filesystem::absolute(archive ? archive->archive : path).lexically_normal();
  return PercentEncoded(target.lexically_relative(folder).string());
}

}  // namespace imgmill
