// The flags of filter, and what does not go together.
#include <algorithm>
#include <array>

#include "commands/choice.h"
#include "commands/embed/embedder.h"
#include "commands/sidecar_actions.h"
#include "filter_export.h"
#include "filter_rule.h"
#include "filter_scorers.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/filter.h"
#include "imgmill/commands/flags.h"

namespace imgmill {
namespace {

const std::array<std::string, 7> kActions = {"report",  "move", "copy", "hardlink",
                                             "symlink", "link", "trash"};
constexpr size_t kMostRules = 64;  // one bit each

std::string SignalTable() {
  std::string text = "Signals:\n";
  for (const SignalInfo& info : AllSignals()) {
    std::string line = "  " + std::string(info.name);
    line.resize(std::max<size_t>(line.size() + 1, 22), ' ');
    text += line + std::string(info.meaning) + "\n";
  }
  for (const PhotoTextInfo& info : AllPhotoTexts()) {
    std::string line = "  " + std::string(info.name);
    line.resize(22, ' ');
    text += line + std::string(info.meaning) + "\n";
  }
  return text;
}

/// Of what is kept, once more after a stop: the same images are to be found where they were.
std::optional<std::string> CheckPacked(const FilterOptions& options) {
  for (const char* flag : {"--explain", "--suggest"}) {
    if (flag[2] == 'e' ? !options.explain.empty() : options.suggest)
      return std::string(flag) + " only reports: leave out --pack";
  }
  if (!options.MovesAway()) return std::nullopt;
  if (options.act_on == "kept")
    return "--action move --act-on kept takes away what --pack packs, and a run that was stopped in between "
           "could not go on: leave out --pack, and run imgmill pack " +
           PrintablePath(options.to) + " afterwards";
  for (const bool keeps : {true, false}) {
    for (const std::string& text : keeps ? options.keep : options.drop) {
      if (const Result<FilterRule> rule = ParseRule(text, keeps); rule && rule->percentile)
        return "--pack with --action " + options.action + " takes no rule such as " + text +
               ": a run that was stopped in between would judge what is left anew, and drop more (copy what "
               "is kept, or give the rule a number)";
    }
  }
  return std::nullopt;
}

}  // namespace

void AddFilterFlags(Flags& flags, FilterOptions& options) {
  flags.Footer(
      SignalTable() +
      "\nA rule is SIGNAL, one of < <= > >= = !=, and a number, a percentile of this run's images\n"
      "(p10) or a multiple of their median (m0.5). Quote rules: the shell treats < and > as redirections.\n"
      "A date is compared with 2015, 2015-06, 2015-06-01 or 2015-06-01T12:30. Texts, such as camera, are\n"
      "compared by = or !=, where * stands for anything and ? for one character: 'camera=\"NIKON*\"'.\n"
      "has(NAME) holds where there is a value.\n\n"
      "Example:\n"
      "  imgmill filter photos --keep 'short_side>=256' --keep 'blockiness<30'    lists what is kept\n"
      "  imgmill filter photos --keep 'sharpness>p10' --action copy --to good --max-drop 50%\n"
      "  imgmill filter photos --suggest\n"
      "  imgmill filter photos --keep 'sharpness>p10' --explain photos/a.jpg\n"
      "  imgmill filter photos --export signals.csv");
  flags.Add("--keep", options.keep, "A rule that images must satisfy to be kept; may be repeated")
      .Type("RULE")
      .OneValueEach();
  flags.Add("--drop", options.drop, "A rule that images must not satisfy; may be repeated")
      .Type("RULE")
      .OneValueEach();
  flags
      .Add("--scorer", options.scorers,
           "Weights of a network that scores images, as one more signal; may be repeated")
      .Type("FILE")
      .OneValueEach();
  flags.Add("--scorer-clip", options.clip, "CLIP weights, which a --scorer that is a head on CLIP needs")
      .Type("FILE");
  flags
      .Add("--action", options.action,
           "report, move, copy, hardlink, symlink (link for short) or trash (into the desktop's trash)")
      .Words(kActions)
      .ShowDefault()
      .Type("NAME");
  flags.Add("--to", options.to, "Folder that --action moves, copies or links to").Type("DIR");
  flags
      .Add("--act-on", options.act_on,
           "kept or dropped: which images --action applies to [dropped for move and trash, else kept]")
      .Words({"kept", "dropped"})
      .Type("NAME");
  flags.Add("--undo-file", options.undo_file, "Where to write the undo file [the catalog's folder]")
      .Type("FILE");
  AddSidecarFlag(flags, options.sidecars);
  flags
      .Add("--max-drop", options.max_drop,
           "Do nothing and exit with 3 if more would be dropped: 50%, or a number of images")
      .Type("LIMIT");
  flags
      .Add("--export", options.export_file,
           "Write all signals of all images to a .csv, .jsonl or .parquet file")
      .Type("FILE");
  flags
      .Add("--explain", options.explain,
           "Say everything of one image of the run: signals, places among all images, rules; may be repeated")
      .Type("IMAGE")
      .OneValueEach();
  flags.AddSwitch("--suggest", options.suggest, "Propose rules that would drop few of these images");
  flags.Add("--suggest-share", options.suggest_share, "Percent of the images that each of them may drop")
      .ShowDefault()
      .Type("PERCENT");
  flags
      .Add("--html", options.html,
           "Write a page: each signal's histogram, where rules cut it, and examples either side")
      .Type("FILE");
  flags.AddSwitch("--check", options.check, "Exit with 4 if any image was dropped");
}

std::optional<std::string> FilterOptions::Check() const {
  for (const bool keeps : {true, false}) {
    for (const std::string& text : keeps ? keep : drop) {
      const Result<FilterRule> rule = ParseRule(text, keeps);
      if (!rule) return rule.error().message;
      if (InfoOf(rule->signal).by_network && scorers.empty()) return NeedsScorer(*rule);
    }
  }
  if (keep.size() + drop.size() > kMostRules) return "at most 64 rules, --keep and --drop together";
  if (keep.empty() && drop.empty() && export_file.empty() && explain.empty() && !suggest && html.empty()) {
    return "nothing to do: give a rule (--keep 'short_side>=256'), --suggest, or --export FILE.csv";
  }
  if (!(suggest_share > 0 && suggest_share < 50)) return "--suggest-share takes a number between 0 and 50";
  for (const char* flag : {"--explain", "--suggest"}) {
    if ((flag[2] == 'e' ? !explain.empty() : suggest) && action != "report")
      return std::string(flag) + " only reports: leave out --action " + action;
  }
  if (!clip.empty() && scorers.empty()) return "--scorer-clip goes with --scorer FILE";
  for (const std::string& path : scorers) {
    if (auto wrong = CheckModel(path)) return wrong;
  }
  if (!clip.empty()) {
    if (auto wrong = CheckModel(clip)) return wrong;
  }
  if (auto wrong = CheckChoice("--action", action, kActions)) return wrong;
  if (action == "report" && !to.empty()) return "--to goes with --action copy, move, hardlink or symlink";
  if (action == "report" && !act_on.empty())
    return "--act-on goes with --action copy, move, trash, hardlink or symlink";
  if (action == "trash" && !to.empty())
    return "--to does not go with --action trash: each file goes to the trash of its file system";
  if (action == "trash" && act_on == "kept")
    return "--action trash takes away what is dropped: it does not go with --act-on kept";
  if (action != "report" && action != "trash" && to.empty())
    return "--action " + action + " needs a folder: --to DIR";
  if (packs) {
    if (auto wrong = CheckPacked(*this)) return wrong;
  }
  if (auto wrong = CheckSidecars(sidecars, packs || action != "report")) return wrong;
  if (!act_on.empty() && act_on != "kept" && act_on != "dropped")
    return "--act-on takes kept or dropped, not \"" + act_on + "\"";
  if (!max_drop.empty()) {
    if (const Result<double> most = MostDropped(max_drop, 0); !most) return most.error().message;
  }
  if (!export_file.empty() && !IsExportName(export_file))
    return "--export takes a file that ends in .csv, .jsonl or .parquet, not \"" +
           PrintablePath(export_file) + "\"";
  return std::nullopt;
}

}  // namespace imgmill
