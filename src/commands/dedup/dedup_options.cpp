// The flags of dedup, and what does not go together.
#include <array>

#include "base/path_parts.h"
#include "commands/choice.h"
#include "dedup_merit.h"
#include "dedup_method.h"
#include "dedup_partners.h"
#include "dedup_poses.h"
#include "duplicate_action.h"
#include "imgmill/commands/dedup.h"
#include "imgmill/commands/flags.h"
#include "imgmill/similarity/grouping.h"
#include "look_limits.h"

namespace imgmill {
namespace {

const std::array<std::string, 2> kIndexes = {"exact", "ivf"};
const std::array<std::string, 2> kInvariants = {"rotate", "flip"};
const std::array<std::string, 3> kGroupings = {"keeper", "clique", "component"};
const std::array<std::string, 3> kPairs = {"all", "across", "within"};

/// "a, b and c"
std::string Listed(const std::vector<std::string>& names, const std::string& before_last) {
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 < names.size() ? ", " : before_last) + names[i];
  return text;
}

std::string MethodsOfAnyPose() {
  std::vector<std::string> names;
  for (const DedupMethod& method : DedupMethods()) {
    if (method.any_pose()) names.emplace_back(method.name);
  }
  return Listed(names, " and ");
}

}  // namespace

void AddDedupFlags(Flags& flags, DedupOptions& options) {
  flags.Footer(
      "Example:\n"
      "  imgmill dedup photos                       lists groups of near-duplicates\n"
      "  imgmill dedup photos --action move --move-to duplicates --memory 512MiB");
  const std::vector<std::string> methods = DedupMethodNames();
  flags.Add("--method", options.method, Listed(methods, " or ")).Words(methods).ShowDefault().Type("NAME");
  flags.Add("--decode", options.decode, "scaled (fast) or full (bit for bit imagededup's hash)")
      .Words({"scaled", "full"})
      .ShowDefault()
      .Type("NAME");
  flags
      .Add("--max-distance", options.max_distance,
           "Bits in which two hashes may differ, 0 to 64, or 256 with pdq and blockmean [14, fewer above "
           "50,000 images; 10 with ahash and whash; 16 with lpips; 80 with pdq; 40 with blockmean]")
      .Type("BITS");
  flags.AddSwitch("--no-verify", options.no_verify,
                  "Believe the hashes: do not lay candidates upon each other to compare their pixels");
  flags
      .Add("--max-difference", options.max_difference,
           "What two images may differ in when they are laid upon each other, 0 to 1 [0.1]")
      .Type("DIFFERENCE");
  flags
      .Add("--max-colour-difference", options.max_colour_difference,
           "What their colours may differ in then, beside a cast or a fading of all, 0 to 255 [8]")
      .Type("LEVELS");
  flags
      .Add("--max-changed", options.max_changed,
           "How much of the most changed place may show another thing then, 0 to 1 [0.2]")
      .Type("PART");
  flags
      .Add("--refused", options.refused,
           "List the closest pairs that are near but look different, and what would take them: 0 to "
           "1000 [20 with --json and --html, else 0]")
      .Type("COUNT");
  flags
      .Add("--min-similarity", options.min_similarity,
           "With --method embedding: least cosine similarity of duplicates, 0 to 1 [0.8; 0.9 where "
           "they are not verified]")
      .Type("COSINE");
  flags
      .Add("--index", options.index,
           "With --method embedding: exact compares all vectors, ivf those of near lists, which is "
           "faster from 100,000 on")
      .Words(kIndexes)
      .ShowDefault()
      .Type("NAME");
  flags
      .Add("--max-lpips", options.max_lpips,
           "With --method lpips: largest LPIPS distance of duplicates, 0 or more [0.1]")
      .Type("DISTANCE");
  flags
      .Add("--invariant", options.invariant,
           "Also find images that were turned by quarters (rotate), mirrored (flip), or both: with --method "
           "embedding each is embedded in 4 poses, or in 8")
      .SplitAtCommas()
      .Words(kInvariants)
      .Type("NAME,...");
  flags
      .Add("--keep-by", options.keep_by,
           "What the keeper is chosen by, in this order: resolution, colour, format, "
           "blockiness, sharpness, bytes, oldest, path, folder:DIR")
      .SplitAtCommas()
      .Words({"resolution", "colour", "format", "blockiness", "sharpness", "bytes", "oldest", "path"})
      .Type("NAME,...");
  flags
      .Add("--reference", options.reference,
           "Folder that is never touched: only images that are also there are duplicates")
      .Type("DIR");
  flags
      .Add("--pairs", options.pairs,
           "Duplicates of all images, only across folders, or only within one: all, across, within")
      .Words(kPairs)
      .ShowDefault()
      .Type("NAME");
  flags
      .Add("--group-by", options.group_by,
           "What makes a group: all are like the keeper, every two are alike (clique), or chains of alike "
           "ones join them (component)")
      .Words(kGroupings)
      .ShowDefault()
      .Type("NAME");
  AddDuplicateActionFlags(flags, {options.action, options.move_to, options.undo_file, options.sidecars});
  PartnerFlags{options.pair, options.pair_names, options.pair_move_to}.Add(flags);
  flags
      .Add("--html", options.html,
           "Write a page to look at the groups, and to decide on them (see imgmill apply)")
      .Type("FILE");
  flags.AddSwitch("--check", options.check, "Exit with 4 if any duplicate was found");
  AddEmbeddingFlags(flags, options.embedding);
}

const DedupMethod& DedupOptions::Method() const {
  return DedupMethodOf(method);
}

int DedupOptions::distance(uint64_t images) const {
  return max_distance ? *max_distance : Method().Distance(no_verify, images);
}

LookLimits DedupOptions::limits() const {
  LookLimits limits;
  limits.difference = difference();
  limits.colours = max_colour_difference.value_or(limits.colours);
  limits.changed = max_changed.value_or(limits.changed);
  return limits;
}

bool DedupOptions::HasLooks() const {
  const bool by_model = !embedding.model.empty() || !embedding.model_name.empty();
  return Method().by == DedupBy::kHash || (Method().by == DedupBy::kVectors && !by_model);
}

GroupBy DedupOptions::Grouping() const {
  if (group_by == "clique") return GroupBy::kClique;
  return group_by == "component" ? GroupBy::kComponent : GroupBy::kKeeper;
}

bool DedupOptions::looks_again() const {
  return verifies() || Method().by == DedupBy::kNetwork;
}

std::optional<std::string> DedupOptions::Check() const {
  if (auto wrong = CheckChoice("--method", method, DedupMethodNames())) return wrong;
  const DedupMethod& how = Method();
  const bool by_vectors = how.by == DedupBy::kVectors;
  const bool by_network = how.by == DedupBy::kNetwork;
  if (auto wrong = CheckChoice("--pairs", pairs, kPairs)) return wrong;
  if (auto wrong = CheckChoice("--index", index, kIndexes)) return wrong;
  if (auto wrong = CheckChoice("--group-by", group_by, kGroupings)) return wrong;
  if (index != "exact" && !by_vectors) return "--index goes with --method embedding";
  std::string wrong_order;
  const std::optional<KeepOrder> order = KeepOrder::Parse(keep_by, wrong_order);
  if (!order) return "--keep-by: " + wrong_order;
  if (order->Asks(KeepReason::kBlockiness) && (decode != "full" || !how.hash))
    return "--keep-by blockiness needs a hash and --decode full: blocks cannot be seen in a part of the "
           "pixels";
  const std::optional<PoseSet> poses = PoseSet::Parse(invariant);
  if (!poses) return "--invariant takes rotate, flip, or both: rotate,flip";
  if (poses->others()) {
    if (!how.any_pose())
      return "--invariant goes with " + MethodsOfAnyPose() + ", not with --method " + method;
    if (no_verify && !by_vectors) return "--invariant does not go with --no-verify";
    if (by_vectors && index != "exact")
      return "--invariant does not go with --index " + index + ": all vectors are compared then";
    if (by_vectors && !embedding.model_name.empty())
      return "--invariant does not go with --model-name: images have to be embedded in each pose";
  }
  if (!reference.empty() && pairs != "all")
    return "--reference does not go with --pairs: it says itself which pairs are duplicates";
  if (group_by != "keeper" && (!reference.empty() || pairs == "across"))
    return "--group-by " + group_by + " does not go with " +
           (reference.empty() ? "--pairs across" : "--reference") +
           ": members of such a group may not be duplicates of one another";
  if (decode != "scaled" && decode != "full") return "--decode takes scaled or full, not \"" + decode + "\"";
  if (max_distance && !how.hash) return "--max-distance is of hashes: it does not go with --method " + method;
  if (min_similarity && !by_vectors) return "--min-similarity goes with --method embedding";
  if (max_lpips && !by_network) return "--max-lpips goes with --method lpips";
  if (max_distance && (*max_distance < 0 || *max_distance > how.bits()))
    return "--max-distance takes 0 to " + std::to_string(how.bits()) + " bits";
  const std::string limit = max_difference          ? "--max-difference"
                            : max_colour_difference ? "--max-colour-difference"
                            : max_changed           ? "--max-changed"
                                                    : "";
  if (!limit.empty() && no_verify) return limit + " does not go with --no-verify";
  if ((!limit.empty() || no_verify) && !HasLooks())
    return (no_verify ? "--no-verify" : limit) +
           " is of candidates by hash or descriptor: it does not go with " +
           (by_vectors ? "--model" : "--method " + method);
  if (refused && !looks_again())
    return "--refused lists pairs that got a second look: it does not go with " +
           (no_verify    ? std::string("--no-verify")
            : by_vectors ? "--model"
                         : "--method " + method);
  if (refused && (*refused < 0 || *refused > 1000)) return "--refused takes 0 to 1000 pairs";
  if (!(difference() >= 0 && difference() <= 1)) return "--max-difference takes 0 to 1";
  if (!(limits().colours >= 0 && limits().colours <= 255))
    return "--max-colour-difference takes 0 to 255 levels";
  if (!(limits().changed >= 0 && limits().changed <= 1)) return "--max-changed takes 0 to 1";
  if (!(similarity() >= 0 && similarity() <= 1)) return "--min-similarity takes 0 to 1";
  if (!(lpips() >= 0)) return "--max-lpips takes 0 or more";
  if (by_network && embedding.model.empty())
    return "--method lpips needs its weights: --model FILE, as lpips.LPIPS(net='alex').state_dict() saves "
           "them";
  if (by_network && embedding.DescribesInput())
    return "--method lpips knows what its network takes: give --model FILE alone";
  if (!by_vectors && !by_network && !embedding.model.empty())
    return "--model goes with --method embedding or lpips";
  if (!by_vectors && !embedding.model_name.empty()) return "--model-name goes with --method embedding";
  if (auto wrong = embedding.Check()) return wrong;
  if (packs && pair_names.AreGiven())
    return "--pack takes partners that have the names of their images: --pair-name and --own-name do not go "
           "with it";
  const bool only_packed = packs && !LeavesItsPlace(action) && !pair.empty() && pair_move_to.empty();
  if (auto wrong = CheckPartners(pair, pair_names, pair_move_to, action, move_to); wrong && !only_packed)
    return wrong;
  return CheckDuplicateAction(action, move_to, sidecars, packs);
}

}  // namespace imgmill
