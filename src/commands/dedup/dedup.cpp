// The dedup command: hashes in the map phase, groups in the reduce, files moved or linked in the act.
#include "imgmill/commands/dedup.h"

#include <nlohmann/json.hpp>

#include "archive/archive_path.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "commands/embed/embed_operation.h"
#include "commands/embed/vector_kinds.h"
#include "commands/export_target.h"
#include "commands/paired_source.h"
#include "commands/planned_actions.h"
#include "commands/readable_file.h"
#include "dataset/set_aside.h"
#include "dedup_act.h"
#include "dedup_links.h"
#include "dedup_lpips.h"
#include "dedup_method.h"
#include "dedup_operation.h"
#include "dedup_page.h"
#include "dedup_partners.h"
#include "dedup_pictures.h"
#include "dedup_places.h"
#include "dedup_reduce_step.h"
#include "dedup_summary.h"
#include "dedup_vector_run.h"
#include "dedup_verify_groups.h"
#include "duplicate_action.h"
#include "found_duplicates.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/keeps_images.h"
#include "imgmill/commands/steps_before.h"

namespace imgmill {
namespace {

using Grouping = ReduceStep<DuplicateGroups>;
using NearSearch = ReduceStep<NearEntries>;

class Dedup final : public Command, public ChecksAhead, public KeepsImages {
 public:
  explicit Dedup(Flags& flags) { AddDedupFlags(flags, options_); }

  std::optional<std::string> Check() const override { return options_.Check(); }
  void ExpectPack() override { options_.packs = true; }
  const std::vector<std::string>& packed_sidecars() const override { return options_.sidecars; }
  std::vector<std::string> partner_folders() const override {
    return options_.pair.empty() ? std::vector<std::string>() : std::vector<std::string>{options_.pair};
  }
  std::optional<std::string> TakePaths(ListOptions& list) override {
    if (!options_.reference.empty()) list.paths.push_back(options_.reference);
    listed_reference_ = true;
    return std::nullopt;
  }
  std::string folder_to_leave_out() const override {
    return options_.move_to;
  }  // or a rerun moves them deeper

  std::string weight_file() const override { return ByModel() ? options_.embedding.model : std::string(); }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }

  std::optional<std::string> vector_maker() const override {
    if (!By(DedupBy::kVectors) || !options_.embedding.model_name.empty()) return std::nullopt;
    return MakerOf(options_.embedding);
  }
  Status MayRead(const CommandServices& services, const StepsBefore& before) const override;
  Status MayWrite(const CommandServices&, const StepsBefore& before) const override {
    TRY(MayExport("--html", options_.html, WrittenAs::kPage, before));
    TRY(MayActInto("--pair-move-to", options_.pair_move_to, {}, before));
    return MayActInto("--move-to", options_.move_to, options_.undo_file, before);
  }
  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class HashRun;

  /// Whether distances are those of vectors, not bits.
  bool ByModel() const { return By(DedupBy::kVectors) || By(DedupBy::kNetwork); }
  bool By(DedupBy what) const { return options_.Method().by == what; }
  /// Else partners are only packed.
  bool TakesPartners() const { return !options_.pair.empty() && LeavesItsPlace(options_.action); }

  VectorSearch HowToSearch() const {
    return {options_.similarity(), options_.index == "ivf", options_.Grouping(), rules_.poses.size() - 1};
  }

  /// @param may  of hashes that get a second look, FindNear's
  Result<CommandResult> Reduce(CommandResult result, const DedupTable& entries, const DedupVectors& vectors,
                               SecondLooker* look, const std::vector<bool>& may,
                               const CommandServices& services) const {
    if (result.counts.interrupted) return result;  // half a folder has no groups
    MemoryManager& memory = *services.memory;
    const StopFlag& stop = *services.stop;
    const int threads = services.workers();
    const int distance = options_.distance(entries.size());
    std::optional<IvfReport> ivf;
    DuplicateGroups groups = TRY(Grouping::Guarded(services, [&] {
      if (vectors.own != nullptr)
        return FindSimilarVectors(entries, rules_, vectors, HowToSearch(), threads, memory, stop, ivf);
      return look != nullptr
                 ? FindVerified(entries, may, rules_, distance, *look, threads, memory, stop)
                 : FindDuplicates(entries, rules_, !By(DedupBy::kContent), distance, threads, memory, stop);
    }));
    if (vectors.own != nullptr && look != nullptr) {
      Candidates candidates = TRY(Candidates::Of(entries, RowsByLook(groups)));
      TRY(look->LookAt(std::move(candidates), result));
      if (result.counts.interrupted) return result;
      look->Describe(result.details);
      const auto distances_of = [&](uint32_t a, uint32_t b) {
        return VectorDistances(entries, vectors, rules_.poses, a, b);
      };
      const double most = 1 - options_.similarity() + 1e-6;  // whichever way the last bit was rounded
      DuplicateGroups verified = TRY(Grouping::Guarded(services, [&] {
        return VerifyGroups(entries, rules_, groups, *look, distances_of, most, memory, stop);
      }));
      groups = std::move(verified);
    }
    TRY(MarkLinks(entries, groups));
    const FoundDuplicates found(entries, std::move(groups),
                                {.by_vectors = ByModel(),
                                 .aligned = options_.verifies(),
                                 .limits = options_.limits(),
                                 .by_quality = options_.Method().has_quality(),
                                 .least_quality = rules_.least_quality});
    TRY(DescribeFound(options_, found, services, result));
    if (ivf) DescribeIndex(*ivf, services, result);
    if (services.in_pipeline) TRY(found.PassOnKept(services, result));
    TRY(ActAndShow(found, services, result));
    return result;
  }

  /// The page shows where files are then; its pictures are made of them before.
  Status ActAndShow(const FoundDuplicates& found, const CommandServices& services,
                    CommandResult& result) const {
    std::optional<DedupPage> page;
    if (!options_.html.empty()) {
      page.emplace(found, options_.listed_refused(), services);
      TRY(page->MakePictures(result));
      if (result.counts.interrupted) return {};
    }
    const bool acts = options_.action != "report";
    DedupPage::Acted after{{}, ActedPlaces(options_.move_to)};
    Status acted;
    if (acts) acted = ActOnDuplicates(options_, found, partners_.get(), services, result, after.places);
    if (acts && acted.ok() && services.shared->mode == RunMode::kRun) after.word = DoneWord(options_.action);
    Status shown;
    if (page) shown = page->Write(options_.html, after, result);
    TRY(acted);
    if (!shown && acts) TellUnwrittenPage(shown.error(), services, result);
    return acts ? Status() : shown;
  }

  /// kUsage for an action that is never done here, since archives are not changed.
  Status MayActOn(ListOptions list, const StepsBefore& before) const;

  DedupOptions options_;
  GroupRules rules_;
  std::unique_ptr<DedupPartners> partners_;  ///< null where no partner goes
  bool listed_reference_ = false;            ///< its images are part of the listing, where there is one
};

class Dedup::HashRun final : public CommandRun {
 public:
  /// @param look  null where none is taken.
  HashRun(const Dedup& dedup, const CommandServices& services, DedupPlaces places,
          std::unique_ptr<SecondLooker> look)
      : CommandRun(services),
        dedup_(dedup),
        services_(services),
        operation_({.kind = dedup.options_.Method().hash,
                    .scaled_decode = dedup.options_.decode == "scaled",
                    .blockiness = dedup.rules_.order.Asks(KeepReason::kBlockiness),
                    .poses = dedup.rules_.poses.others(),
                    .places = std::move(places)},
                   services),
        look_(std::move(look)) {}
  Operation& operation() override { return operation_; }
  size_t ReduceBytes(uint64_t images) const override {
    const int distance = dedup_.options_.distance(images);
    if (look_)
      return VerifyingBytes(images, dedup_.rules_, distance, services_.workers()) +
             look_->Held(look_->Threads(services_.workers())).pooled;
    return GroupingBytes(images, dedup_.rules_, !dedup_.By(DedupBy::kContent), distance, services_.workers());
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    std::vector<bool> may;
    if (look_ && !result.counts.interrupted) {
      const DedupTable& entries = operation_.entries();
      const int distance = dedup_.options_.distance(entries.size());
      const NeighbourNotes notes(services_.shared->force ? std::string() : services_.catalog->folder(),
                                 operation_.traits().fingerprint + " within " + std::to_string(distance));
      NearEntries found = TRY(NearSearch::Guarded(services_, [&] {
        return FindNear(entries, dedup_.rules_, distance, services_.workers(), *services_.memory,
                        *services_.stop, &notes);
      }));
      may = std::move(found.may);
      Candidates candidates = TRY(Candidates::Of(entries, std::move(found.candidates)));
      TRY(look_->LookAt(std::move(candidates), result));
      look_->Describe(result.details);
    }
    return dedup_.Reduce(std::move(result), operation_.entries(), {}, look_.get(), may, services_);
  }

 private:
  const Dedup& dedup_;
  const CommandServices& services_;
  DedupOperation operation_;
  std::unique_ptr<SecondLooker> look_;
};

Status Dedup::MayActOn(ListOptions list, const StepsBefore& before) const {
  if (!options_.reference.empty()) {
    std::erase(list.paths, options_.reference);  // nothing there is a duplicate
    const bool links = options_.action == "hardlink" || options_.action == "symlink";
    if (links && AtOrIntoArchive(options_.reference))
      return UsageError("--action " + options_.action + " cannot link to what lies in an archive, as " +
                        PrintablePath(options_.reference) +
                        " of --reference does (--action move, trash or delete "
                        "takes the duplicates away)");
  }
  return MayActOnInput(options_.action, list, before);
}

Status Dedup::MayRead(const CommandServices& services, const StepsBefore& before) const {
  TRY(MayActOn(services.shared->list, before));
  if (TakesPartners())
    TRY(MayTakePartners(options_.pair, options_.pair_move_to, services.shared->list, before));
  if (services.in_pipeline && !options_.reference.empty() && !listed_reference_)
    return UsageError("--reference cannot be used in a pipeline step: run imgmill dedup by itself");
  std::string wrong;  // Check would have said
  if (const auto order = KeepOrder::Parse(options_.keep_by, wrong))
    TRY(FindPlaces(options_, *order, services.shared->list, before));
  if (ByModel() && !options_.embedding.model.empty()) TRY(MayBeWeights(services, options_.embedding.model));
  // By itself, with --pack or without, it finds out when it begins, and says whose catalog lacks them.
  const bool is_step = services.in_pipeline && !options_.packs;
  const bool needs_vectors = By(DedupBy::kVectors) && !options_.embedding.model_name.empty();
  return is_step && needs_vectors ? HasVectors(options_.embedding, services, before) : Status();
}

Result<std::unique_ptr<CommandRun>> Dedup::Begin(ItemSource& source, const CommandServices& services) {
  std::string wrong;  // Check would have said
  if (auto order = KeepOrder::Parse(options_.keep_by, wrong)) rules_.order = *std::move(order);
  if (const auto poses = PoseSet::Parse(options_.invariant)) rules_.poses = *poses;
  rules_.group_by = options_.Grouping();
  rules_.wide_hashes = options_.Method().bits() == 256;
  if (options_.Method().has_quality() && !options_.verifies()) rules_.least_quality = kLeastPdqQuality;
  if (!options_.reference.empty()) rules_.scope = PairScope::kToReference;
  if (options_.pairs == "across") rules_.scope = PairScope::kAcross;
  if (options_.pairs == "within") rules_.scope = PairScope::kWithin;
  if (TakesPartners()) {
    DedupPartners partners =
        TRY(DedupPartners::Read(options_.pair, options_.pair_names, options_.pair_move_to, source, services));
    partners_ = std::make_unique<DedupPartners>(std::move(partners));
  }
  DedupPlaces places = TRY(FindPlaces(options_, rules_.order, services.shared->list, {}));
  if (By(DedupBy::kVectors)) {
    OpenedEmbedding opened = TRY(OpenEmbedding(options_.embedding, services, rules_.poses.Others()));
    std::unique_ptr<SecondLooker> look;
    if (options_.verifies()) look = std::make_unique<PictureLook>(options_.limits(), services);
    const auto reduce = [this, &services](CommandResult result, const DedupTable& entries,
                                          const DedupVectors& vectors, SecondLooker* looker) {
      return Reduce(std::move(result), entries, vectors, looker, {}, services);
    };
    return MakeDedupVectorRun(options_.embedding, HowToSearch(), services, std::move(places),
                              std::move(opened), std::move(look), reduce);
  }
  std::unique_ptr<SecondLooker> look;
  if (By(DedupBy::kNetwork)) {
    std::unique_ptr<Embedder> comparer = TRY(MakeComparer(options_.embedding.model, services));
    OpenedEmbedding opened = TRY(WithVectors(std::move(comparer), services));
    look = std::make_unique<LpipsLook>(std::move(opened), options_.lpips(), services);
  } else if (options_.verifies()) {
    look = std::make_unique<PictureLook>(options_.limits(), services);
  }
  return std::unique_ptr<CommandRun>(
      std::make_unique<HashRun>(*this, services, std::move(places), std::move(look)));
}

}  // namespace

std::unique_ptr<Command> AddDedup(Flags& flags) {
  return std::make_unique<Dedup>(flags);
}

}  // namespace imgmill
