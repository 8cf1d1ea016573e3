#include "pack_run.h"

#include <algorithm>
#include <optional>

#include "base/counted.h"
#include "base/full_disk.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "commands/emptied_input.h"
#include "commands/paired_source.h"
#include "commands/sidecar_actions.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/dataset/publish.h"
#include "lmdb_sample_writer.h"
#include "lost_samples.h"
#include "sample_gatherer.h"
#include "shard_writer.h"

namespace imgmill {
namespace {

std::vector<std::string> PatternsOf(const PackOptions& options) {
  if (options.sidecars.empty()) return {"*.txt", "*.json"};
  return options.sidecars == kNoSidecars ? std::vector<std::string>() : options.sidecars;
}

class PackRun final : public CommandRun {
 public:
  PackRun(const PackOptions& pack, PackedPairs pairs, ItemSource& given, const CommandServices& services)
      : CommandRun(services, pack.output),
        pack_(pack),
        services_(services),
        pairs_(std::move(pairs)),
        operation_(pack.group == "prefix", PatternsOf(pack), pairs_) {
    alone = true;  // nobody else asks for side-cars and partners
    if (pairs_.indexes.empty()) return;
    std::vector<const PairIndex*> asked;
    for (const PairIndex& each : pairs_.indexes) asked.push_back(&each);
    source = PairedSource(given, std::move(asked), NamesWholeFolders(given, services.shared->list),
                          *services.stop);
  }

  Status Open() {
    const auto lose = [this](const ShardSample& sample, const std::string& path, const Error& error) {
      lost_.Add(sample, path, error);
    };
    if (pack_.format == "lmdb") {
      std::unique_ptr<SampleWriter> database = TRY(LmdbSampleWriter::Open(pack_, services_, lose));
      writer_ = std::move(database);
    } else {
      std::unique_ptr<SampleWriter> shards = TRY(ShardWriter::Open(pack_, services_, lose));
      writer_ = std::move(shards);
    }
    return {};
  }

  Operation& operation() override { return operation_; }
  size_t ReduceBytes(uint64_t) const override { return writer_->Held(operation_.largest()).total(); }

  Result<CommandResult> Reduce(CommandResult result) override {
    if (result.counts.interrupted) return result;
    const std::optional<Error> leave = TRY(WhyLeaveSet(result));
    if (leave) return LeaveSet(*leave, std::move(result));
    if (!pack_.sidecars.empty() && pack_.sidecars != kNoSidecars)
      WarnOfUnmatched(services_, operation_.finder());
    const Lease lease = TRY(Room());
    const Status packed = PackAll();
    if (!packed && packed.error().code == Code::kInterrupted) {
      result.counts.interrupted = true;
      return result;
    }
    if (!packed) return EndedEarly(packed.error(), std::move(result));
    if (pack_.prune) {
      const uint64_t pruned = TRY(writer_->Prune());
      pruned_ = pruned;
    }
    TRY(Describe(result));
    return result;
  }

 private:
  /// Why the samples of an earlier run are not replaced: their images may be there all the same.
  Result<std::optional<Error>> WhyLeaveSet(const CommandResult& result) const {
    if (!writer_->HasSet()) return std::optional<Error>();
    const auto leave = [](const std::string& why) {
      return std::optional(
          Error{Stage::kWrite, Code::kNotFound, "what is there is left as it is, as " + why});
    };
    const bool force = services_.shared->force;
    std::string unlisted = services_.unlisted_input;
    if (unlisted.empty()) unlisted = TRY(FirstUnlisted(result.failed));
    if (!force && !unlisted.empty())
      return leave(PrintablePath(unlisted) +
                   " could not be listed: bring it back, or leave it out of the command (--force packs what "
                   "can be listed)");
    if (operation_.images().size() == 0) return leave("there is no image to pack: look at the input");
    const std::string emptied = force ? "" : EmptiedInput(pack_.output + "/members.jsonl", services_);
    if (emptied.empty()) return std::optional<Error>();
    return leave(PrintablePath(emptied) +
                 " is empty, and images of it are packed: bring them back, or leave it out of the command "
                 "(--force packs what is there)");
  }

  Result<CommandResult> LeaveSet(const Error& why, CommandResult result) const {
    services_.log(LogLevel::kError, imgmill::Describe(pack_.output, why));
    result.action_failures.Add({pack_.output, why});
    result.kept_images = result.counts.done;
    AddTotals(result);
    result.summary =
        services_.shared->mode == RunMode::kRun ? "nothing was packed" : "dry run: nothing would be packed";
    if (services_.in_pipeline)
      TRY(operation_.images().ForEach([&](const PackedImage& image) {
        result.kept.Add(image.file);
        return Status();
      }));
    return result;
  }

  /// What was packed until then is there, and a rerun goes on behind it.
  CommandResult EndedEarly(const Error& why, CommandResult result) const {
    AddTotals(result);
    result.summary = TotalsText() + " until then";
    result.counts.interrupted = why.code == Code::kDiskFull;
    if (result.counts.interrupted) result.counts.interruption = AdviceOnFull(why);
    result.refusal = why;
    return result;
  }

  /// How large the files are is known only now.
  Result<Lease> Room() const {
    Result<Lease> lease = services_.memory->Acquire(writer_->Held(operation_.largest()), *services_.stop);
    if (lease || lease.error().code == Code::kInterrupted) return lease;
    Error error = lease.error();
    error.message = "what pack needs to write, with the largest file, of " +
                    FormatByteSize(operation_.largest()) + ": " + error.message;
    return error;
  }

  /// For more of a sample than is usual.
  Result<Lease> RoomForSample(size_t bytes) const {
    MemoryManager& memory = *services_.memory;
    Lease lease = TRY(memory.TryAcquire({0, bytes}));
    if (lease) return lease;
    return Error{Stage::kAdmit, Code::kTooLarge,
                 "the memory budget of " + FormatByteSize(memory.host_budget()) +
                     " has no room for their names (use a larger --memory, or leave out --group prefix)"};
  }

  Status PackAll() {
    SampleGatherer gatherer([this](ShardSample sample) { return writer_->Add(std::move(sample)); },
                            [this](const ShardSample& sample, const std::string& path, const Error& error) {
                              lost_.Add(sample, path, error);
                            },
                            [this](size_t bytes) { return RoomForSample(bytes); });
    TRY(operation_.images().ForEach([&](const PackedImage& image) { return gatherer.Add(image); }));
    TRY(gatherer.Finish());
    return writer_->Finish();
  }

  /// What is packed goes on to the next step.
  Status Keep(CommandResult& result) const {
    result.kept_images = result.counts.done;
    if (!services_.in_pipeline) return {};
    return operation_.images().ForEach([&](const PackedImage& image) {
      if (!lost_.Has(image.file)) result.kept.Add(image.file);
      return Status();
    });
  }

  void AddTotals(CommandResult& result) const {
    const SampleWriter::Totals& totals = writer_->totals();
    result.details["shards"] = totals.shards;
    result.details["finished_before"] = totals.finished;
    result.details["samples"] = totals.samples;
    result.details["samples_left_out"] = lost_.samples();
    result.details["files"] = totals.files;
    result.details["bytes"] = totals.bytes;
  }

  /// "2 samples of 2 images and 1 side-car in 1 shard, 60 KiB"
  std::string TotalsText() const {
    const SampleWriter::Totals& totals = writer_->totals();
    const bool dry = services_.shared->mode != RunMode::kRun;
    const uint64_t sidecars = totals.files - totals.images;
    return (dry ? "dry run: " : "") + Counted(totals.samples, "sample") + " of " +
           Counted(totals.images, "image") + (sidecars > 0 ? " and " + Counted(sidecars, "side-car") : "") +
           (dry ? " would be in " : " in ") +
           Counted(totals.shards, pack_.format == "lmdb" ? "database" : "shard") + ", " +
           FormatByteSize(totals.bytes);
  }

  Status Describe(CommandResult& result) const {
    const SampleWriter::Totals& totals = writer_->totals();
    TRY(lost_.CountAsFailed(services_, result));
    TRY(Keep(result));
    AddTotals(result);
    const bool dry = services_.shared->mode != RunMode::kRun;
    if (dry && HasLists()) result.counts.recalled = totals.finished_listed;
    result.summary = TotalsText();
    if (lost_.samples() > 0) result.summary += "; " + Counted(lost_.samples(), "sample") + " left out";
    if (totals.finished > 0)
      result.summary += "; " + Counted(totals.finished, "was finished already", "were finished already");
    if (pack_.prune && (dry || pruned_ > 0)) result.details[dry ? "to_remove" : "pruned"] = pruned_;
    if (pruned_ > 0)
      result.summary +=
          "; " + Counted(pruned_, "shard") + " of an earlier run " + (dry ? "would be removed" : "removed");
    if (dry) return {};
    for (const auto& [name, path] : writer_->Lists()) result.details[name] = PrintablePath(path);
    result.text = WholeText(PrintablePath(writer_->Lists().front().second) + "\n");
    if (const std::string stale = MembersList::StaleTable(pack_); !stale.empty())
      services_.log(LogLevel::kWarning, PrintablePath(stale) +
                                            " is of an earlier run and no longer holds: delete it, or give "
                                            "--metadata parquet");
    const std::vector<std::string> others = writer_->Others();
    if (!others.empty())
      services_.log(LogLevel::kWarning,
                    PrintablePath(pack_.output) + " has " + Counted(others.size(), "shard") +
                        (others.size() == 1 ? " of an earlier run that is no part of this one, from "
                                            : " of an earlier run that are no part of this one, from ") +
                        others.front() +
                        " on: delete them, or readers of the whole folder will include them" +
                        (pack_.prune || pack_.format != "tar" ? ""
                         : services_.step.empty()
                             ? " (--prune removes those that would follow its last one)"
                             : " (prune: true of the step removes those that would follow its last one)"));
    return {};
  }

  /// Whether an earlier run has left all that a run writes beside the samples.
  bool HasLists() const {
    const auto lists = writer_->Lists();
    return std::all_of(lists.begin(), lists.end(), [](const auto& list) { return Exists(list.second); });
  }

  const PackOptions& pack_;
  const CommandServices& services_;
  PackedPairs pairs_;
  PackOperation operation_;
  std::unique_ptr<SampleWriter> writer_;
  uint64_t pruned_ = 0;  ///< shards; of a dry run, that would be
  LostSamples lost_;
};

}  // namespace

Status MayPack(const PackOptions& pack, const CommandServices& services) {
  return pack.format == "lmdb" ? LmdbSampleWriter::MayOpen(pack, services)
                               : ShardWriter::MayOpen(pack, services);
}

Result<std::unique_ptr<CommandRun>> BeginPack(const PackOptions& pack, PackedPairs pairs, ItemSource& given,
                                              const CommandServices& services) {
  auto run = std::make_unique<PackRun>(pack, std::move(pairs), given, services);
  TRY(run->Open());
  return std::unique_ptr<CommandRun>(std::move(run));
}

}  // namespace imgmill
