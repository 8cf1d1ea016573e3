// The dedup command: hashes in the map phase, groups in the reduce, files moved or linked in the act.
#include "imgmill/commands/dedup.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>

#include "base/try.h"
#include "choice.h"
#include "dedup_groups.h"
#include "dedup_lpips.h"
#include "dedup_operation.h"
#include "embed_operation.h"
#include "freed_bytes.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"
#include "planned_actions.h"

namespace imgmill {
namespace {

const std::array<std::string, 7> kMethods = {"exact", "phash",     "dhash", "ahash",
                                             "whash", "embedding", "lpips"};
const std::array<std::string, 5> kActions = {"report", "move", "hardlink", "symlink", "delete"};

/// The reduce, as work that a refused allocation does not end.
class Grouping final : public LadderWork {
 public:
  /// @param vectors  of --method embedding; null for the others.
  /// @param look  of --method lpips; null for the others.
  Grouping(const DedupTable& entries, const VectorFile* vectors, LpipsLook* look, const DedupOptions& options,
           const CommandServices& services)
      : entries_(entries), vectors_(vectors), look_(look), options_(options), services_(services) {}
  Status Run(const Attempt&) override {
    DuplicateGroups groups = TRY(Find());
    groups_ = std::move(groups);
    return {};
  }
  bool has_cpu_rung() const override { return false; }
  DuplicateGroups& groups() { return groups_; }

 private:
  Result<DuplicateGroups> Find() const {
    MemoryManager& memory = *services_.memory;
    const StopFlag& stop = *services_.stop;
    const int threads = services_.workers();
    if (vectors_ != nullptr)
      return FindSimilarVectors(entries_, *vectors_, options_.min_similarity, threads, memory, stop);
    if (look_ == nullptr)
      return FindDuplicates(entries_, options_.method != "exact", options_.distance(), threads, memory, stop);
    const auto verify = [this](uint32_t keeper, uint32_t other) -> Result<std::optional<double>> {
      std::optional<double> distance = TRY(look_->Distance(keeper, other));
      if (distance && *distance > options_.max_lpips) distance.reset();
      return distance;
    };
    return FindVerified(entries_, options_.distance(), verify, look_->held(), memory, stop);
  }

  const DedupTable& entries_;
  const VectorFile* vectors_;
  LpipsLook* look_;
  const DedupOptions& options_;
  const CommandServices& services_;
  DuplicateGroups groups_;
};

class Dedup final : public Command {
 public:
  explicit Dedup(CLI::App& app);

  std::optional<std::string> Check() const override {
    if (min_similarity_->count() > 0 && options_.method != "embedding")
      return "--min-similarity goes with --method embedding";
    if (max_lpips_->count() > 0 && options_.method != "lpips") return "--max-lpips goes with --method lpips";
    return options_.Check();
  }
  std::string folder_to_leave_out() const override {
    return options_.move_to;
  }  // or a rerun moves them deeper

  std::string weight_file() const override { return ByModel() ? options_.embedding.model : std::string(); }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class HashRun;
  class VectorRun;

  /// Whether distances are those of vectors, not bits.
  bool ByModel() const { return options_.method == "embedding" || options_.method == "lpips"; }

  Result<CommandResult> Reduce(CommandResult result, const DedupTable& entries, const VectorFile* vectors,
                               LpipsLook* look, const CommandServices& services) const {
    if (result.counts.interrupted) return result;  // half a folder has no groups
    Grouping grouping(entries, vectors, look, options_, services);
    const LadderOutcome grouped = services.memory->Guarded(grouping, kHostWork, *services.stop);
    if (!grouped.status) return grouped.status.error();
    const auto groups = std::make_shared<const DuplicateGroups>(std::move(grouping.groups()));
    const Described found{entries, groups, ByModel()};
    TRY(Describe(found, services, result));
    if (services.in_pipeline) {
      TRY(Keep(entries, *groups, result.kept));
    }
    if (options_.action != "report") {
      TRY(Act(found, services, result));
    }
    return result;
  }

  static FileAction::Kind KindOf(const std::string& action) {
    if (action == "move") return FileAction::Kind::kMove;
    if (action == "hardlink") return FileAction::Kind::kHardlink;
    if (action == "symlink") return FileAction::Kind::kSymlink;
    return FileAction::Kind::kDelete;
  }

  /// The groups with what is known of their images.
  struct Described {
    DedupTable entries;
    std::shared_ptr<const DuplicateGroups> groups;
    bool by_vectors = false;  ///< what their distances are of

    /// Bits as they are; of vectors six digits, beyond which they are rounding.
    nlohmann::ordered_json DistanceJson(double distance) const {
      if (!by_vectors) return std::lround(distance);
      return std::round(distance * 1e6) / 1e6;
    }
    std::string How(const DuplicateGroups::Member& member, const DedupEntry& entry,
                    const DedupEntry& keeper) const {
      if (entry.content == keeper.content) return "same bytes";
      return member.by_look ? "distance " + DistanceJson(member.distance).dump() : "same pixels";
    }
    nlohmann::ordered_json ImageJson(const DedupEntry& entry, double distance, bool identical) const {
      return {{"path", PrintablePath(entry.file.path)},
              {"distance", DistanceJson(distance)},
              {"identical", identical},
              {"bytes", entry.bytes},
              {"width", entry.width},
              {"height", entry.height}};
    }

    /// Calls `on_group` with each group and its keeper, and `on_member` with each of its members after it;
    /// both return a Status.
    template <typename OnGroup, typename OnMember>
    Status ForEach(const OnGroup& on_group, const OnMember& on_member) const {
      for (const DuplicateGroups::Group& group : groups->groups) {
        const DedupEntry keeper = TRY(entries.At(group.keeper));
        TRY(on_group(group, keeper));
        TRY(ForEachMember(group, keeper, on_member));
      }
      return {};
    }
    template <typename OnMember>
    Status ForEachDuplicate(const OnMember& on_member) const {
      return ForEach([](const auto&, const DedupEntry&) { return Status(); }, on_member);
    }
    template <typename OnMember>
    Status ForEachMember(const DuplicateGroups::Group& group, const DedupEntry& keeper,
                         const OnMember& on_member) const {
      for (const DuplicateGroups::Member& member : groups->MembersOf(group)) {
        const DedupEntry entry = TRY(entries.At(member.index));
        TRY(on_member(member, entry, keeper));
      }
      return {};
    }
  };

  /// One action a duplicate; keepers are never touched.
  Status Act(const Described& found, const CommandServices& services, CommandResult& result) const {
    PlannedImages planned;
    const auto done = [&](const FileAction& action) { planned.MarkDone(action, result); };
    const auto plan = [&](ActionJournal& journal) {
      return found.ForEachDuplicate([&](const auto&, const DedupEntry& entry, const DedupEntry& keeper) {
        FileAction action;
        action.kind = KindOf(options_.action);
        action.path = entry.file.path;
        action.keeper = keeper.file.path;
        action.seen = entry.stamp;
        action.content = entry.content;
        action.keeper_content = keeper.content;
        if (action.has_target()) action.target = options_.move_to + "/" + entry.file.relative;
        planned.Add(entry.file, result);
        return journal.Plan(action);
      });
    };
    return ExecuteActions({"imgmill dedup", options_.action, options_.undo_file, options_.move_to,
                           found.groups->groups.empty()},
                          plan, services, result, done);
  }

  /// What a next step is given: all but the duplicates.
  static Status Keep(const DedupTable& entries, const DuplicateGroups& groups, FileTable& kept) {
    std::vector<bool> duplicate(entries.size(), false);
    for (const DuplicateGroups::Member& member : groups.members) duplicate[member.index] = true;
    size_t index = 0;
    return entries.ForEach([&](const DedupEntry& entry) {
      if (!duplicate[index++]) kept.Add(entry.file);
      return Status();
    });
  }

  Status Describe(const Described& found, const CommandServices& services, CommandResult& result) const {
    FreedBytes freed;
    const Status counted =
        found.ForEachDuplicate([&](const auto& member, const DedupEntry& entry, const DedupEntry& keeper) {
          freed.Add(entry.file.path);
          const auto why = [&] {
            return "duplicate of " + PrintablePath(keeper.file.path) + " (" +
                   found.How(member, entry, keeper) + ")";
          };
          result.MarkDropped(services, entry.file, why);
          return Status();
        });
    if (!counted) return counted;
    const size_t groups = found.groups->groups.size();
    result.dropped = found.groups->members.size();
    result.kept_images = found.entries.size() - result.dropped;
    result.details["method"] = options_.method;
    if (options_.method == "embedding") {
      result.details["min_similarity"] = options_.min_similarity;
    } else if (options_.method != "exact") {
      result.details["decode"] = options_.decode;
      result.details["max_distance"] = options_.distance();
      if (options_.method == "lpips") result.details["max_lpips"] = options_.max_lpips;
    }
    result.details["duplicates"] = result.dropped;
    result.details["duplicate_bytes"] = freed.total();
    result.details.SetRows("groups", [found](JsonElements& elements) -> Status {
      for (const DuplicateGroups::Group& group : found.groups->groups) {
        TRY(PutGroup(found, group, elements));
      }
      return {};
    });
    result.text = [found](const TextSink& put) {
      return found.ForEach(
          [&](const DuplicateGroups::Group& group, const DedupEntry& keeper) {
            return put("keep " + PrintablePath(keeper.file.path) + "  (" + SizeText(keeper) + ", by " +
                       std::string(ToString(group.reason)) + ")\n");
          },
          [&](const auto& member, const DedupEntry& entry, const DedupEntry& keeper) {
            return put("  dup " + PrintablePath(entry.file.path) + "  (" + SizeText(entry) + ", " +
                       found.How(member, entry, keeper) + ")\n");
          });
    };
    result.summary =
        std::to_string(groups) + (groups == 1 ? " group, " : " groups, ") + std::to_string(result.dropped) +
        (result.dropped == 1 ? " duplicate (" : " duplicates (") + FormatByteSize(freed.total()) + ")";
    result.findings = options_.check && groups > 0;
    return {};
  }

  static std::string SizeText(const DedupEntry& entry) {
    return std::to_string(entry.width) + "x" + std::to_string(entry.height);
  }

  static Status PutGroup(const Described& found, const DuplicateGroups::Group& group,
                         JsonElements& elements) {
    const Result<DedupEntry> keeper = found.entries.At(group.keeper);
    if (!keeper) return keeper.error();
    JsonObject json;
    json["keeper"] = PrintablePath(keeper->file.path);
    json["reason"] = ToString(group.reason);
    json.SetRows("images", [&](JsonElements& images) -> Status {
      TRY(images.Put(found.ImageJson(*keeper, 0, true)));
      return found.ForEachMember(
          group, *keeper, [&](const auto& member, const DedupEntry& entry, const DedupEntry& kept) {
            return images.Put(found.ImageJson(entry, member.distance, entry.content == kept.content));
          });
    });
    return elements.Put(json);
  }

  DedupOptions options_;
  const CLI::Option* min_similarity_ = nullptr;
  const CLI::Option* max_lpips_ = nullptr;
};

class Dedup::HashRun final : public CommandRun {
 public:
  /// @param opened  the comparer of --method lpips, which looks at phash's candidates
  HashRun(const Dedup& dedup, const CommandServices& services, std::optional<OpenedEmbedding> opened)
      : CommandRun(services),
        dedup_(dedup),
        services_(services),
        operation_(HashKindFromName(opened ? "phash" : dedup.options_.method),
                   dedup.options_.decode == "scaled", services.shared->allow_truncated, services) {
    if (opened) look_.emplace(*std::move(opened), services);
  }
  Operation& operation() override { return operation_; }
  size_t ReduceBytes(uint64_t images) const override {
    const int distance = dedup_.options_.distance();
    if (look_) return VerifyingBytes(images, distance);
    return GroupingBytes(images, dedup_.options_.method != "exact", distance, services_.workers());
  }
  Result<CommandResult> Reduce(CommandResult result) override {
    if (look_ && !result.counts.interrupted) {
      look_->Describe(result.details);
      const std::vector<uint32_t> candidates = TRY(FindCandidates(
          operation_.entries(), dedup_.options_.distance(), *services_.memory, *services_.stop));
      TRY(look_->LookAt(operation_.entries(), candidates, result));
    }
    return dedup_.Reduce(std::move(result), operation_.entries(), nullptr, look_ ? &*look_ : nullptr,
                         services_);
  }

 private:
  const Dedup& dedup_;
  const CommandServices& services_;
  DedupOperation operation_;
  std::optional<LpipsLook> look_;
};

class Dedup::VectorRun final : public CommandRun {
 public:
  VectorRun(const Dedup& dedup, const CommandServices& services, OpenedEmbedding opened)
      : CommandRun(services),
        dedup_(dedup),
        services_(services),
        opened_(std::move(opened)),
        operation_(*opened_.embedder, opened_.store, nullptr, services, /*needs_notes=*/true,
                   [this](EmbeddedImage& image) {
                     const bool is_link = IsSymbolicLink(image.file.path);
                     entries_.Add({std::move(image.file), image.content, image.stamp, image.stamp.size,
                                   image.width, image.height, 0, image.notes, image.place.row, is_link});
                   }) {
    options.workers = EmbeddingWorkers(dedup.options_.embedding, services);
    alone = true;  // the operation is embed's, which does not know of a reduce
  }
  Operation& operation() override { return operation_; }
  Result<CommandResult> Reduce(CommandResult result) override {
    if (!result.counts.interrupted) opened_.embedder->Describe(result.details);
    return dedup_.Reduce(std::move(result), entries_, opened_.store.file.get(), nullptr, services_);
  }

 private:
  const Dedup& dedup_;
  const CommandServices& services_;
  OpenedEmbedding opened_;
  DedupTable entries_;
  EmbedOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Dedup::Begin(ItemSource&, const CommandServices& services) {
  if (options_.method == "lpips") {
    std::unique_ptr<Embedder> comparer = TRY(MakeComparer(options_.embedding.model, services));
    OpenedEmbedding opened = TRY(WithVectors(std::move(comparer), services));
    return std::unique_ptr<CommandRun>(std::make_unique<HashRun>(*this, services, std::move(opened)));
  }
  if (options_.method != "embedding")
    return std::unique_ptr<CommandRun>(std::make_unique<HashRun>(*this, services, std::nullopt));
  OpenedEmbedding opened = TRY(OpenEmbedding(options_.embedding, services));
  return std::unique_ptr<CommandRun>(std::make_unique<VectorRun>(*this, services, std::move(opened)));
}

Dedup::Dedup(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill dedup photos                       lists groups of near-duplicates\n"
      "  imgmill dedup photos --action move --move-to duplicates --memory 512MiB");
  TakesWords(
      app.add_option("--method", options_.method, "exact, phash, dhash, ahash, whash, embedding or lpips"),
      kMethods)
      ->capture_default_str()
      ->type_name("NAME");
  TakesWords(
      app.add_option("--decode", options_.decode, "scaled (fast) or full (bit for bit imagededup's hash)"),
      {"scaled", "full"})
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--max-distance", options_.max_distance,
                 "Bits in which two hashes may differ, 0 to 64 [10; 16 with lpips]")
      ->type_name("BITS");
  min_similarity_ = app.add_option("--min-similarity", options_.min_similarity,
                                   "With --method embedding: least cosine similarity of duplicates, 0 to 1")
                        ->capture_default_str()
                        ->type_name("COSINE");
  max_lpips_ = app.add_option("--max-lpips", options_.max_lpips,
                              "With --method lpips: largest LPIPS distance of duplicates, 0 or more")
                   ->capture_default_str()
                   ->type_name("DISTANCE");
  TakesWords(
      app.add_option("--action", options_.action, "report, move, hardlink, symlink or delete the duplicates"),
      kActions)
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--move-to", options_.move_to, "Folder for --action move")->type_name("DIR");
  app.add_option("--undo-file", options_.undo_file, "Where to write the undo file [the catalog's folder]")
      ->type_name("FILE");
  app.add_flag("--check", options_.check, "Exit with 4 if any duplicate was found");
  AddEmbeddingFlags(app, options_.embedding);
}

}  // namespace

std::optional<std::string> DedupOptions::Check() const {
  if (auto wrong = CheckChoice("--method", method, kMethods)) return wrong;
  if (auto wrong = CheckChoice("--action", action, kActions)) return wrong;
  if (decode != "scaled" && decode != "full") return "--decode takes scaled or full, not \"" + decode + "\"";
  if (distance() < 0 || distance() > 64) return "--max-distance takes 0 to 64 bits";
  if (!(min_similarity >= 0 && min_similarity <= 1)) return "--min-similarity takes 0 to 1";
  if (!(max_lpips >= 0)) return "--max-lpips takes 0 or more";
  if (method == "lpips" && embedding.model.empty())
    return "--method lpips needs its weights: --model FILE, as lpips.LPIPS(net='alex').state_dict() saves "
           "them";
  if (method == "lpips" && embedding.DescribesInput())
    return "--method lpips knows what its network takes: give --model FILE alone";
  if (method != "embedding" && method != "lpips" && !embedding.model.empty())
    return "--model goes with --method embedding or lpips";
  if (auto wrong = embedding.Check()) return wrong;
  if (action == "move" && move_to.empty()) return "--action move needs a folder: --move-to DIR";
  if (action != "move" && !move_to.empty()) return "--move-to goes with --action move";
  return std::nullopt;
}

std::unique_ptr<Command> AddDedup(CLI::App& app) {
  return std::make_unique<Dedup>(app);
}

}  // namespace imgmill
