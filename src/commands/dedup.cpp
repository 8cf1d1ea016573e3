// The dedup command: hashes in the map phase, groups in the reduce, files moved or linked in the act.
#include "imgmill/commands/dedup.h"

#include <CLI/CLI.hpp>
#include <array>
#include <cmath>

#include "choice.h"
#include "dedup_groups.h"
#include "dedup_operation.h"
#include "embed_operation.h"
#include "freed_bytes.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flag_words.h"
#include "planned_actions.h"

namespace imgmill {
namespace {

const std::array<std::string, 6> kMethods = {"exact", "phash", "dhash", "ahash", "whash", "embedding"};
const std::array<std::string, 5> kActions = {"report", "move", "hardlink", "symlink", "delete"};

/// The reduce, as work that a refused allocation does not end.
class Grouping final : public LadderWork {
 public:
  /// @param vectors  of --method embedding; null for the others.
  Grouping(const std::vector<DedupEntry>& entries, const VectorFile* vectors, const DedupOptions& options,
           const CommandServices& services)
      : entries_(entries), vectors_(vectors), options_(options), services_(services) {}
  Status Run(const Attempt&) override {
    Result<std::vector<DuplicateGroup>> groups =
        vectors_ != nullptr ? FindSimilarVectors(entries_, *vectors_, options_.min_similarity,
                                                 services_.workers(), *services_.memory, *services_.stop)
                            : FindDuplicates(entries_, options_.method != "exact", options_.max_distance,
                                             services_.workers(), *services_.memory, *services_.stop);
    if (!groups) return groups.error();
    groups_ = *std::move(groups);
    return {};
  }
  bool has_cpu_rung() const override { return false; }
  const std::vector<DuplicateGroup>& groups() const { return groups_; }

 private:
  const std::vector<DedupEntry>& entries_;
  const VectorFile* vectors_;
  const DedupOptions& options_;
  const CommandServices& services_;
  std::vector<DuplicateGroup> groups_;
};

class Dedup final : public Command {
 public:
  explicit Dedup(CLI::App& app);

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::string folder_to_leave_out() const override {
    return options_.move_to;
  }  // or a rerun moves them deeper

  std::string weight_file() const override {
    return options_.method == "embedding" ? options_.embedding.model : std::string();
  }
  std::string defaults_file() const override { return options_.embedding.defaults_file(); }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource&, const CommandServices& services) override;

 private:
  class HashRun;
  class VectorRun;

  Result<CommandResult> Reduce(CommandResult result, const std::vector<DedupEntry>& entries,
                               const VectorFile* vectors, const CommandServices& services) const {
    if (result.counts.interrupted) return result;  // half a folder has no groups
    Grouping grouping(entries, vectors, options_, services);
    const LadderOutcome grouped = services.memory->Guarded(grouping, kHostWork, *services.stop);
    if (!grouped.status) return grouped.status.error();
    const std::vector<DuplicateGroup>& groups = grouping.groups();
    Describe(entries, groups, result);
    if (options_.action != "report") {
      if (Status acted = Act(entries, groups, services, result); !acted) return acted.error();
    }
    return result;
  }

  static FileAction::Kind KindOf(const std::string& action) {
    if (action == "move") return FileAction::Kind::kMove;
    if (action == "hardlink") return FileAction::Kind::kHardlink;
    if (action == "symlink") return FileAction::Kind::kSymlink;
    return FileAction::Kind::kDelete;
  }

  /// One action a duplicate; keepers are never touched.
  Status Act(const std::vector<DedupEntry>& entries, const std::vector<DuplicateGroup>& groups,
             const CommandServices& services, CommandResult& result) const {
    const auto plan = [&](ActionJournal& journal) -> Status {
      for (const DuplicateGroup& group : groups) {
        for (const DuplicateGroup::Member& member : group.members) {
          const DedupEntry& entry = entries[member.index];
          FileAction action;
          action.kind = KindOf(options_.action);
          action.path = entry.file.path;
          action.keeper = entries[group.keeper].file.path;
          action.seen = entry.stamp;
          action.content = entry.content;
          action.keeper_content = entries[group.keeper].content;
          if (action.has_target()) action.target = options_.move_to + "/" + entry.file.relative;
          if (Status planned = journal.Plan(action); !planned) return planned;
        }
      }
      return {};
    };
    return ExecuteActions(
        {"imgmill dedup", options_.action, options_.undo_file, options_.move_to, groups.empty()}, plan,
        services, result);
  }

  void Describe(const std::vector<DedupEntry>& entries, const std::vector<DuplicateGroup>& groups,
                CommandResult& result) const {
    std::vector<bool> duplicate(entries.size(), false);
    FreedBytes freed;
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const DuplicateGroup& group : groups) {
      nlohmann::ordered_json images = nlohmann::ordered_json::array();
      const DedupEntry& keeper = entries[group.keeper];
      images.push_back(ImageJson(keeper, 0, true));
      result.text += "keep " + PrintablePath(keeper.file.path) + "  (" + std::to_string(keeper.width) + "x" +
                     std::to_string(keeper.height) + ", by " + std::string(ToString(group.reason)) + ")\n";
      for (const DuplicateGroup::Member& member : group.members) {
        const DedupEntry& entry = entries[member.index];
        duplicate[member.index] = true;
        const std::string how = member.identical     ? "same bytes"
                                : member.same_pixels ? "same pixels"
                                                     : "distance " + DistanceJson(member.distance).dump();
        result.MarkDropped(entry.file, "duplicate of " + PrintablePath(keeper.file.path) + " (" + how + ")");
        freed.Add(entry.file.path);
        images.push_back(ImageJson(entry, member.distance, member.identical));
        result.text += "  dup " + PrintablePath(entry.file.path) + "  (" + std::to_string(entry.width) + "x" +
                       std::to_string(entry.height) + ", " + how + ")\n";
      }
      list.push_back({{"keeper", PrintablePath(keeper.file.path)},
                      {"reason", ToString(group.reason)},
                      {"images", std::move(images)}});
    }
    for (size_t i = 0; i < entries.size(); ++i) {
      if (!duplicate[i]) result.kept.push_back(entries[i].file);
    }
    result.dropped = entries.size() - result.kept.size();
    result.details["method"] = options_.method;
    if (options_.method == "embedding") {
      result.details["min_similarity"] = options_.min_similarity;
    } else if (options_.method != "exact") {
      result.details["decode"] = options_.decode;
      result.details["max_distance"] = options_.max_distance;
    }
    result.details["duplicates"] = result.dropped;
    result.details["duplicate_bytes"] = freed.total();
    result.details["groups"] = std::move(list);
    result.summary = std::to_string(groups.size()) + (groups.size() == 1 ? " group, " : " groups, ") +
                     std::to_string(result.dropped) +
                     (result.dropped == 1 ? " duplicate (" : " duplicates (") +
                     FormatByteSize(freed.total()) + ")";
    result.findings = options_.check && !groups.empty();
  }

  /// Bits as they are; of cosines six digits, beyond which they are rounding.
  nlohmann::ordered_json DistanceJson(double distance) const {
    if (options_.method != "embedding") return std::lround(distance);
    return std::round(distance * 1e6) / 1e6;
  }

  nlohmann::ordered_json ImageJson(const DedupEntry& entry, double distance, bool identical) const {
    return {{"path", PrintablePath(entry.file.path)},
            {"distance", DistanceJson(distance)},
            {"identical", identical},
            {"bytes", entry.bytes},
            {"width", entry.width},
            {"height", entry.height}};
  }

  DedupOptions options_;
};

class Dedup::HashRun final : public CommandRun {
 public:
  HashRun(const Dedup& dedup, const CommandServices& services)
      : CommandRun(services),
        dedup_(dedup),
        services_(services),
        operation_(HashKindFromName(dedup.options_.method), dedup.options_.decode == "scaled",
                   services.shared->allow_truncated, services) {}
  Operation& operation() override { return operation_; }
  OutcomeLog& log() override { return operation_.log(); }
  Result<CommandResult> Conclude(CommandResult result) override {
    return dedup_.Reduce(std::move(result), operation_.entries(), nullptr, services_);
  }

 private:
  const Dedup& dedup_;
  const CommandServices& services_;
  DedupOperation operation_;
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
                     entries_.push_back({std::move(image.file), image.content, image.stamp, image.stamp.size,
                                         image.width, image.height, 0, image.notes, image.place.row});
                   }) {
    options.workers = EmbeddingWorkers(dedup.options_.embedding, services);
    alone = true;  // the operation is embed's, which does not know of a reduce
  }
  Operation& operation() override { return operation_; }
  OutcomeLog& log() override { return operation_.log(); }
  Result<CommandResult> Conclude(CommandResult result) override {
    if (!result.counts.interrupted) opened_.embedder->Describe(result.details);
    return dedup_.Reduce(std::move(result), entries_, opened_.store.file.get(), services_);
  }

 private:
  const Dedup& dedup_;
  const CommandServices& services_;
  OpenedEmbedding opened_;
  std::vector<DedupEntry> entries_;
  EmbedOperation operation_;
};

Result<std::unique_ptr<CommandRun>> Dedup::Begin(ItemSource&, const CommandServices& services) {
  if (options_.method != "embedding")
    return std::unique_ptr<CommandRun>(std::make_unique<HashRun>(*this, services));
  Result<OpenedEmbedding> opened = OpenEmbedding(options_.embedding, services);
  if (!opened) return opened.error();
  return std::unique_ptr<CommandRun>(std::make_unique<VectorRun>(*this, services, *std::move(opened)));
}

Dedup::Dedup(CLI::App& app) {
  app.footer(
      "Example:\n"
      "  imgmill dedup photos                       lists groups of near-duplicates\n"
      "  imgmill dedup photos --action move --move-to duplicates --memory 512MiB");
  TakesWords(app.add_option("--method", options_.method, "exact, phash, dhash, ahash, whash or embedding"),
             kMethods)
      ->capture_default_str()
      ->type_name("NAME");
  TakesWords(
      app.add_option("--decode", options_.decode, "scaled (fast) or full (bit for bit imagededup's hash)"),
      {"scaled", "full"})
      ->capture_default_str()
      ->type_name("NAME");
  app.add_option("--max-distance", options_.max_distance, "Bits in which two hashes may differ, 0 to 64")
      ->capture_default_str()
      ->type_name("BITS");
  app.add_option("--min-similarity", options_.min_similarity,
                 "With --method embedding: cosine of two vectors at least, 0 to 1")
      ->capture_default_str()
      ->type_name("COSINE");
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
  if (max_distance < 0 || max_distance > 64) return "--max-distance takes 0 to 64 bits";
  if (!(min_similarity >= 0 && min_similarity <= 1)) return "--min-similarity takes 0 to 1";
  if (method != "embedding" && !embedding.model.empty()) return "--model goes with --method embedding";
  if (auto wrong = embedding.Check()) return wrong;
  if (action == "move" && move_to.empty()) return "--action move needs a folder: --move-to DIR";
  if (action != "move" && !move_to.empty()) return "--move-to goes with --action move";
  return std::nullopt;
}

std::unique_ptr<Command> AddDedup(CLI::App& app) {
  return std::make_unique<Dedup>(app);
}

}  // namespace imgmill
