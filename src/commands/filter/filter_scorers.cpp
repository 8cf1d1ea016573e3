// Opens filter's networks, and refuses those that nothing asks for.
#include "filter_scorers.h"

#include <algorithm>

#include "base/try.h"
#include "base/usage_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
std::string NeedsScorer(const FilterRule& rule) {
  std::string clip;
  if (rule.signal == Signal::kAesthetic) clip = ", and CLIP's with --scorer-clip FILE";
  if (rule.signal == Signal::kNsfw) clip = ", and, for a head, CLIP's with --scorer-clip FILE";
  return std::string(rule.flag()) + " \"" + PrintablePath(rule.text) +
         "\": " + std::string(InfoOf(rule.signal).name) +
         " comes from a network: give its weights with --scorer FILE" + clip;
}

Result<std::vector<Scorer>> OpenScorers(const FilterOptions& options, std::span<const FilterRule> rules,
                                        const CommandServices& services) {
  std::vector<Scorer> scorers;
  const auto giving = [&](Signal signal) {
    return std::find_if(scorers.begin(), scorers.end(),
                        [&](const Scorer& scorer) { return scorer.signal == signal; });
  };
  for (const std::string& path : options.scorers) {
    Scorer scorer = TRY(MakeScorer(path, options.clip, services));
    if (const auto other = giving(scorer.signal); other != scorers.end()) {
      return UsageError(PrintablePath(other->path) + " and " + PrintablePath(path) +
                        " both give the signal " + std::string(InfoOf(scorer.signal).name) +
                        ": give one of them");
    }
    scorers.push_back(std::move(scorer));
  }
  if (!options.clip.empty() &&
      std::none_of(scorers.begin(), scorers.end(), [](const Scorer& each) { return each.on_clip; }))
    return UsageError("--scorer-clip goes with a head that judges CLIP's vectors, and no --scorer is one");
  for (const FilterRule& rule : rules) {
    if (InfoOf(rule.signal).by_network && giving(rule.signal) == scorers.end())
      return UsageError(NeedsScorer(rule));
  }
  for (const Scorer& scorer : scorers) {
    const auto about = [&](const FilterRule& rule) { return rule.signal == scorer.signal; };
    if (!options.WantsAllSignals() && std::none_of(rules.begin(), rules.end(), about)) {
      return UsageError("--scorer " + PrintablePath(scorer.path) + " gives the signal " +
                        std::string(InfoOf(scorer.signal).name) +
                        ", which no rule is about: add one, or --export FILE.csv");
    }
  }
  return scorers;
}

}  // namespace imgmill
