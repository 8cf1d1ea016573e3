// Which architecture's the names of a state dict are, with or without something in front of them.
#include <algorithm>
#include <iterator>
#include <map>
#include <set>

#include "base/counted.h"
#include "imgmill/base/path_text.h"
#include "networks/weights/averaged_names.h"
#include "torch/architectures/architecture.h"

namespace imgmill {
namespace {

/// What trains a network, and is none that a user wants.
constexpr std::string_view kOfTraining[] = {"loss", "losses", "criterion", "perceptual", "lpips"};

const Architecture* Match(const StateDict& weights) {
  for (const Architecture* architecture : Architectures()) {
    if (architecture->Matches(weights)) return architecture;
  }
  return nullptr;
}

/// Moves the tensors whose names begin with `prefix` out, under names without it.
StateDict TakeBelow(StateDict& weights, const std::string& prefix) {
  StateDict below;
  below.metadata = weights.metadata;
  auto at = weights.tensors.lower_bound(prefix);
  while (at != weights.tensors.end() && at->first.starts_with(prefix)) {
    auto node = weights.tensors.extract(at++);
    node.key().erase(0, prefix.size());
    below.tensors.insert(std::move(node));
  }
  return below;
}

void PutBack(StateDict& weights, StateDict below, const std::string& prefix) {
  while (!below.tensors.empty()) {
    auto node = below.tensors.extract(below.tensors.begin());
    node.key().insert(0, prefix);
    weights.tensors.insert(std::move(node));
  }
}

/// What stands in front of some names, to the third dot at most: "model.", "model.net.". Numbers count the
/// layers of a network, so that no network begins behind one. What is above comes first.
std::set<std::string> PrefixesOf(const StateDict& weights) {
  constexpr int kDeepest = 3;
  constexpr size_t kMost = 200;
  std::set<std::string> prefixes;
  for (const auto& [name, tensor] : weights.tensors) {
    size_t begin = 0;
    for (int depth = 0; depth < kDeepest; ++depth) {
      const size_t dot = name.find('.', begin);
      if (dot == std::string::npos || dot == begin) break;
      const std::string_view word = std::string_view(name).substr(begin, dot - begin);
      if (std::all_of(word.begin(), word.end(), [](char c) { return c >= '0' && c <= '9'; })) break;
      if (std::find(std::begin(kOfTraining), std::end(kOfTraining), word) != std::end(kOfTraining)) break;
      begin = dot + 1;
      if (prefixes.size() < kMost) prefixes.insert(name.substr(0, begin));
    }
  }
  return prefixes;
}

/// The first layer below `prefix` whose bias is there and whose weight is not.
std::string LayerWithoutWeight(const StateDict& weights, const std::string& prefix) {
  constexpr std::string_view kBias = ".bias";
  for (const auto& [name, tensor] : weights.tensors) {
    if (!name.ends_with(kBias) || !name.starts_with(prefix)) continue;
    std::string weight = name.substr(0, name.size() - kBias.size()) + ".weight";
    if (weights.Find(weight) == nullptr) return weight;
  }
  return {};
}

std::string FirstNames(const StateDict& weights, const std::string& not_below = "") {
  constexpr size_t kShown = 3;
  std::string names;
  size_t shown = 0;
  for (const auto& [name, tensor] : weights.tensors) {
    if (!not_below.empty() && name.starts_with(not_below)) continue;
    if (shown++ == kShown) return names + ", ...";
    names += (names.empty() ? "" : ", ") + PrintablePath(name);
  }
  return names;
}

/// How far the names below a prefix are an architecture's.
struct Nearness {
  double share = 0;  ///< of its telltale tensors, those that are there
  std::string prefix, there, missing;
  size_t lacking = 0;
  const Architecture* architecture = nullptr;
};

Nearness Nearest(const StateDict& weights) {
  std::set<std::string> prefixes = PrefixesOf(weights);
  prefixes.insert("");
  Nearness nearest;
  for (const std::string& prefix : prefixes) {
    for (const Architecture* architecture : Architectures()) {
      for (const Telltales& names : architecture->telltales()) {
        Nearness now{0, prefix, "", "", 0, architecture};
        for (const std::string_view name : names) {
          const bool has = weights.Find(prefix + std::string(name)) != nullptr;
          now.lacking += !has;
          std::string& list = has ? now.there : now.missing;
          list.append(list.empty() ? "" : ", ").append(name);
        }
        now.share = static_cast<double>(names.size() - now.lacking) / static_cast<double>(names.size());
        if (now.share > nearest.share) nearest = std::move(now);
      }
    }
  }
  return nearest;
}

/// The architecture of whose telltale tensors the greatest share is there, and which are not.
std::string NearestText(const StateDict& weights) {
  Nearness nearest = Nearest(weights);
  if (nearest.architecture == nullptr) return {};
  const std::string& prefix = nearest.prefix;
  std::string text = "; the nearest";
  if (!prefix.empty()) text += ", below " + PrintablePath(prefix) + ',';
  text += " is " + std::string(nearest.architecture->name()) + ": " + nearest.there + " would be its own, ";
  if (nearest.missing.empty()) {
    nearest.missing = LayerWithoutWeight(weights, prefix);
    nearest.lacking = nearest.missing.empty() ? 0 : 1;
  }
  text += nearest.lacking == 0
              ? "but shapes or other tensors do not fit"
              : PrintablePath(nearest.missing) + (nearest.lacking == 1 ? " is missing" : " are missing");
  const auto others = std::count_if(weights.tensors.begin(), weights.tensors.end(),
                                    [&](const auto& named) { return !named.first.starts_with(prefix); });
  if (others == 0) return text;
  return text + "; " + Counted(others, "tensor stands", "tensors stand") + " elsewhere (" +
         FirstNames(weights, prefix) + ")";
}

/// "12 tensors below loss." for each first word, and the names that have no dot.
std::vector<std::string> Groups(const StateDict& weights) {
  std::map<std::string, size_t> counts;
  for (const auto& [name, tensor] : weights.tensors) {
    const size_t dot = name.find('.');
    ++counts[dot == std::string::npos ? name : name.substr(0, dot + 1)];
  }
  std::vector<std::string> groups;
  for (const auto& [name, count] : counts) {
    groups.push_back(name.ends_with('.') ? Counted(count, "tensor below", "tensors below") + " " + name
                                         : name);
  }
  return groups;
}

struct Below {
  std::string prefix;
  const Architecture* architecture;
};

/// The networks that stand below prefixes, none within another.
std::vector<Below> MatchesBelow(StateDict& weights) {
  std::vector<Below> found;
  for (const std::string& prefix : PrefixesOf(weights)) {
    if (!found.empty() && prefix.starts_with(found.back().prefix)) continue;
    StateDict below = TakeBelow(weights, prefix);
    if (const Architecture* architecture = Match(below)) found.push_back({prefix, architecture});
    PutBack(weights, std::move(below), prefix);
  }
  std::vector<Below> meant;
  for (const Below& each : found) {
    const bool is_raw = std::any_of(found.begin(), found.end(), [&](const Below& other) {
      return IsAveragedForm(other.prefix, each.prefix) && other.architecture == each.architecture;
    });
    if (!is_raw) meant.push_back(each);
  }
  return meant;
}

}  // namespace

Result<const Architecture*> DetectArchitecture(StateDict& weights) {
  if (const Architecture* found = Match(weights)) return found;
  const size_t count = weights.tensors.size();
  if (count == 0) return WeightError("it holds no tensors");
  std::string reason = (count == 1 ? "its one tensor (" : "its " + std::to_string(count) + " tensors (") +
                       FirstNames(weights) + (count == 1 ? ") matches no" : ") match no") +
                       " architecture that imgmill knows" + NearestText(weights) +
                       " (`imgmill models` lists what is known)";
  while (DropTrainersPrefix(weights)) {
    if (const Architecture* found = Match(weights)) return found;
  }
  const std::vector<Below> networks = MatchesBelow(weights);
  if (networks.empty()) return WeightError(std::move(reason));
  if (networks.size() > 1) {
    std::string names;
    for (const Below& each : networks) {
      names += (names.empty() ? "" : ", ") + PrintablePath(each.prefix) + " (" +
               std::string(each.architecture->name()) + ")";
    }
    return WeightError("it holds several networks: " + names + "; save the one that you want by itself");
  }
  const Below& network = networks[0];
  StateDict below = TakeBelow(weights, network.prefix);
  if (!weights.tensors.empty()) {
    const std::string set = network.prefix.substr(0, network.prefix.size() - 1);
    weights.taken = weights.taken.empty() ? set : weights.taken + "." + set;
    const std::vector<std::string> groups = Groups(weights);
    weights.aside.insert(weights.aside.end(), groups.begin(), groups.end());
  }
  weights.tensors = std::move(below.tensors);
  return network.architecture;
}

}  // namespace imgmill
