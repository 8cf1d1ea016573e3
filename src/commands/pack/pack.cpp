// The pack command: images in their order become samples, samples become shards.
#include "imgmill/commands/pack.h"

#include <algorithm>
#include <array>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "commands/choice.h"
#include "commands/emptied_input.h"
#include "commands/paired_source.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/dataset/publish.h"
#include "lmdb_sample_writer.h"
#include "pack_operation.h"
#include "shard_writer.h"

namespace imgmill {
namespace {

const std::array<std::string, 2> kFormats = {"tar", "lmdb"};
const std::array<std::string, 2> kGroups = {"image", "prefix"};
const std::array<std::string, 2> kMetadata = {"jsonl", "parquet"};
const std::vector<std::string> kNone = {"none"};

std::vector<std::string> PatternsOf(const PackOptions& options) {
  if (options.sidecars.empty()) return {"*.txt", "*.json"};
  return options.sidecars == kNone ? std::vector<std::string>() : options.sidecars;
}

/// What the members of its images are called: the folder's name, or the archive's without its ending.
std::string NameOfPair(const std::string& folder) {
  const std::string clean = WithoutRedundancy(folder);
  return std::string(IsArchive(clean) ? StemOf(NameOf(clean)) : NameOf(clean));
}

std::string Count(uint64_t count, const char* what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
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
    source = PairedSource(given, std::move(asked), NamesWholeFolders(given, services.shared->list));
  }

  Status Open() {
    const auto lose = [this](const ShardSample&, const std::string& path, const Error& error) {
      Lose(path, error);
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
    const Lease lease = TRY(Room());
    const Status packed = PackAll(result);
    if (!packed && packed.error().code == Code::kInterrupted) {
      result.counts.interrupted = true;
      return result;
    }
    if (!packed) return packed.error();
    if (pack_.prune) {
      const uint64_t pruned = TRY(writer_->Prune());
      pruned_ = pruned;
    }
    Describe(result);
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

  /// How large the files are is known only now.
  Result<Lease> Room() const {
    Result<Lease> lease = services_.memory->Acquire(writer_->Held(operation_.largest()), *services_.stop);
    if (lease || lease.error().code == Code::kInterrupted) return lease;
    Error error = lease.error();
    error.message = "what pack needs to write, with the largest file, of " +
                    FormatByteSize(operation_.largest()) + ": " + error.message;
    return error;
  }

  void Lose(const std::string& path, const Error& error) { lost_.push_back({path, error}); }

  /// Readers of WebDataset lower endings, and end with an error at the second file of one name.
  static std::optional<Error> FindAlike(const ShardSample& sample) {
    std::map<std::string, const PackedFile*> seen;
    for (const PackedFile& file : sample.files) {
      std::string lowered = file.member;
      for (size_t i = sample.key.size(); i < lowered.size(); ++i) {
        if (lowered[i] >= 'A' && lowered[i] <= 'Z') lowered[i] = static_cast<char>(lowered[i] - 'A' + 'a');
      }
      const auto [there, is_new] = seen.emplace(std::move(lowered), &file);
      if (is_new) continue;
      return Error{Stage::kWrite, Code::kConflict,
                   PrintablePath(there->second->member) + " and " + PrintablePath(file.member) +
                       " differ only in case, which readers of WebDataset take for one: rename one"};
    }
    return std::nullopt;
  }

  /// Whether images of the sample may come behind this member: what is in a folder "a.b" is listed among the
  /// images "a.1.png" and "a.png".
  static bool IsAmid(const ShardSample& sample, const std::string& member) {
    return member.starts_with(sample.key + ".") && member.find('/', sample.key.size()) != std::string::npos;
  }

  Status PackAll(CommandResult& result) {
    std::vector<ShardSample> open;  // each amid the one before
    const auto put = [&]() -> Status {
      ShardSample sample = std::move(open.back());
      open.pop_back();
      const auto by_member = [](const PackedFile& a, const PackedFile& b) { return a.member < b.member; };
      // Two images of one sample may have the same side-cars.
      const auto same = [](const PackedFile& a, const PackedFile& b) { return a.path == b.path; };
      std::sort(sample.files.begin(), sample.files.end(), by_member);
      sample.files.erase(std::unique(sample.files.begin(), sample.files.end(), same), sample.files.end());
      if (const std::optional<Error> alike = FindAlike(sample)) {
        Lose(sample.files.front().path, *alike);
        return {};
      }
      return writer_->Add(std::move(sample));
    };
    const Status added = operation_.images().ForEach([&](const PackedImage& image) -> Status {
      const std::string& member = image.files.front().member;
      const std::string key(SampleKey(member).value_or(""));
      while (!open.empty() && open.back().key != key && !IsAmid(open.back(), member)) TRY(put());
      if (open.empty() || open.back().key != key) open.emplace_back().key = key;
      ShardSample& sample = open.back();
      sample.files.insert(sample.files.end(), image.files.begin(), image.files.end());
      ++sample.listed;
      if (services_.in_pipeline) result.kept.Add(image.file);
      return {};
    });
    if (!added) return added;
    while (!open.empty()) TRY(put());
    return writer_->Finish();
  }

  void AddTotals(CommandResult& result) const {
    const SampleWriter::Totals& totals = writer_->totals();
    result.details["shards"] = totals.shards;
    result.details["finished_before"] = totals.finished;
    result.details["samples"] = totals.samples;
    result.details["samples_left_out"] = lost_.size();
    result.details["files"] = totals.files;
    result.details["bytes"] = totals.bytes;
  }

  void Describe(CommandResult& result) const {
    const SampleWriter::Totals& totals = writer_->totals();
    for (const FailedItem& lost : lost_) {
      services_.log(LogLevel::kError, imgmill::Describe(lost.path, lost.error) + "; its sample is left out");
      result.action_failures.Add(lost);
    }
    result.kept_images = result.counts.done;
    AddTotals(result);
    const bool dry = services_.shared->mode != RunMode::kRun;
    if (dry && HasLists()) result.counts.recalled = totals.finished_listed;
    const uint64_t sidecars = totals.files - totals.images;
    result.summary =
        (dry ? "dry run: " : "") + Count(totals.samples, "sample") + " of " + Count(totals.images, "image") +
        (sidecars > 0 ? " and " + Count(sidecars, "side-car") : "") + (dry ? " would be in " : " in ") +
        Count(totals.shards, pack_.format == "lmdb" ? "database" : "shard") + ", " +
        FormatByteSize(totals.bytes);
    if (!lost_.empty()) result.summary += "; " + Count(lost_.size(), "sample") + " left out";
    if (totals.finished > 0)
      result.summary += "; " + std::to_string(totals.finished) +
                        (totals.finished == 1 ? " was finished already" : " were finished already");
    if (pack_.prune && (dry || pruned_ > 0)) result.details[dry ? "to_remove" : "pruned"] = pruned_;
    if (pruned_ > 0)
      result.summary +=
          "; " + Count(pruned_, "shard") + " of an earlier run " + (dry ? "would be removed" : "removed");
    if (dry) return;
    for (const auto& [name, path] : writer_->Lists()) result.details[name] = PrintablePath(path);
    result.text = WholeText(PrintablePath(writer_->Lists().front().second) + "\n");
    if (const std::string stale = MembersList::StaleTable(pack_); !stale.empty())
      services_.log(LogLevel::kWarning, PrintablePath(stale) +
                                            " is of an earlier run and no longer holds: delete it, or give "
                                            "--metadata parquet");
    const std::vector<std::string> others = writer_->Others();
    if (!others.empty())
      services_.log(LogLevel::kWarning,
                    PrintablePath(pack_.output) + " has " + Count(others.size(), "shard") +
                        (others.size() == 1 ? " of an earlier run that is no part of this one, from "
                                            : " of an earlier run that are no part of this one, from ") +
                        others.front() +
                        " on: delete them, or readers of the whole folder will include them" +
                        (pack_.prune || pack_.format != "tar"
                             ? ""
                             : " (--prune removes those that would follow its last one)"));
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
  uint64_t pruned_ = 0;           ///< shards; of a dry run, that would be
  std::vector<FailedItem> lost_;  ///< one of each sample that is left out
};

class Pack final : public Command {
 public:
  explicit Pack(Flags& flags) {
    flags.Footer(
        "Example:\n"
        "  imgmill pack photos -o shards --shard-size 1GiB\n"
        "  imgmill pack HQ --pair LQ -o shards        0001.png and 0001.LQ.png are one sample\n"
        "  imgmill pack photos -o shards --shard-samples 10000 --sidecars '*.txt,*.npz'\n"
        "  imgmill pack photos -o shards --metadata parquet\n"
        "  imgmill pack HR -o HR.lmdb --format lmdb --sidecars none");
    flags.Add("-o,--output", options_.output, "Folder for the shards, index.json and members.jsonl")
        .Type("DIR");
    flags
        .Add("--format", options_.format,
             "tar shards for WebDataset, or one LMDB database, as BasicSR reads it (lmdb)")
        .Words(kFormats)
        .ShowDefault()
        .Type("NAME");
    flags
        .Add("--group", options_.group,
             "What a sample is: each image, or all images whose names are the same up to "
             "the first dot (prefix)")
        .Words(kGroups)
        .ShowDefault()
        .Type("NAME");
    flags
        .Add("--pair", options_.pairs,
             "Folder of partners, such as low-resolution images, which go into the image's sample; "
             "repeated for several")
        .Type("DIR")
        .OneValueEach();
    flags.Add("--shard-size", options_.shard_size, "Size that a shard does not grow beyond")
        .ShowDefault()
        .Type("SIZE");
    flags.Add("--shard-samples", options_.shard_samples, "Samples that a shard has at most [any number]")
        .Type("N");
    flags.Add("--prefix", options_.prefix, "What the names of shards begin with: PREFIX-000000.tar")
        .ShowDefault()
        .Type("TEXT");
    flags
        .Add("--metadata", options_.metadata,
             "The lists beside them: members.jsonl, or members.parquet besides, a table of the "
             "images with their sizes and captions (parquet)")
        .Words(kMetadata)
        .ShowDefault()
        .Type("NAME");
    flags.AddSwitch("--prune", options_.prune,
                    "Remove shards that an earlier run with more of them has left behind the last one");
    flags
        .Add("--sidecars", options_.sidecars,
             "Files beside an image that belong to its sample [*.txt,*.json]; none for none")
        .SplitAtCommas()
        .Type("PATTERN,...");
  }

  std::optional<std::string> Check() const override { return options_.Check(); }
  std::string output_folder() const override { return options_.output; }
  size_t least_lease() const override {
    return MembersList::Held(options_).total() +
           (options_.format == "lmdb" ? LmdbSampleWriter::kUsuallyHeld : 0);
  }
  void set_output_folder(const std::string& folder) override { options_.output = folder; }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override {
    PackedPairs pairs;
    for (const std::string& folder : options_.pairs) {
      PairIndex read = TRY(
          ReadPairs(source, *services.shared, {folder, {}, options_.output, "name that of their partners"}));
      pairs.indexes.push_back(std::move(read));
      pairs.folders.push_back(NameOfPair(folder));
    }
    auto run = std::make_unique<PackRun>(options_, std::move(pairs), source, services);
    TRY(run->Open());
    return std::unique_ptr<CommandRun>(std::move(run));
  }

 private:
  PackOptions options_;
};

}  // namespace

std::optional<std::string> PackOptions::Check() const {
  if (output.empty()) return "an output folder is needed: -o DIR";
  if (auto wrong = CheckChoice("--format", format, kFormats)) return wrong;
  if (auto wrong = CheckChoice("--group", group, kGroups)) return wrong;
  if (auto wrong = CheckChoice("--metadata", metadata, kMetadata)) return wrong;
  if (format == "lmdb" && group != "image") return "--format lmdb goes with --group image";
  if (format == "lmdb" && !pairs.empty())
    return "--format lmdb takes no --pair: pack the partners' folder into a database of its own";
  const PackOptions standard;
  if (format == "lmdb" && (shard_samples || shard_size != standard.shard_size || prefix != standard.prefix))
    return "--shard-size, --shard-samples and --prefix go with --format tar";
  if (format == "lmdb" && prune) return "--prune goes with --format tar: a database is one file";
  const Result<size_t> size = ParseByteSize(shard_size);
  if (!size) return "--shard-size: " + size.error().message;
  if (*size < 10 * kKiB) return "--shard-size takes 10KiB or more (write 1GiB, 500MiB)";
  if (shard_samples && *shard_samples < 1) return "--shard-samples takes 1 or more";
  constexpr size_t kLongestPrefix = 200;  // names have 255 bytes at most
  if (prefix.size() > kLongestPrefix) return "--prefix takes 200 bytes at most";
  if (prefix.empty() || prefix.find('/') != std::string::npos || prefix.front() == '.')
    return "--prefix takes the beginning of a file name, without a slash or a dot in front";
  if (!pairs.empty() && group != "image") return "--pair goes with --group image";
  std::set<std::string> names;
  for (const std::string& folder : pairs) {
    if (!HoldsFiles(folder)) return "--pair " + PrintablePath(folder) + ": no such folder";
    const std::string name = NameOfPair(folder);
    if (name == "." || name == ".." || name.empty())
      return "--pair " + PrintablePath(folder) +
             ": the folder's name is part of its images' names: write it out";
    if (!names.insert(name).second)
      return "two --pair folders are called " + PrintablePath(name) + " (rename one, or use a link)";
  }
  if (sidecars.empty() || sidecars == kNone) return std::nullopt;
  for (const std::string& pattern : sidecars) {
    if (!pattern.starts_with("*."))
      return "--sidecars " + PrintablePath(pattern) +
             ": in a shard, only names that have a dot behind the image's belong to its sample";
  }
  return SidecarFinder::Check(sidecars);
}

std::unique_ptr<Command> AddPack(Flags& flags) {
  return std::make_unique<Pack>(flags);
}

}  // namespace imgmill
