// The pack command: its flags, and what they may be.
#include "imgmill/commands/pack.h"

#include <array>
#include <optional>
#include <set>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "commands/choice.h"
#include "commands/paired_source.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/path_text.h"
#include "imgmill/commands/flags.h"
#include "imgmill/commands/steps_before.h"
#include "lmdb_sample_writer.h"
#include "pack_run.h"

namespace imgmill {
namespace {

const std::array<std::string, 2> kFormats = {"tar", "lmdb"};
const std::array<std::string, 2> kGroups = {"image", "prefix"};
const std::array<std::string, 2> kMetadata = {"jsonl", "parquet"};

/// What the members of its images are called: the folder's name, or the archive's without its ending.
std::string NameOfPair(const std::string& folder) {
  const std::string clean = WithoutRedundancy(folder);
  return std::string(IsArchive(clean) ? StemOf(NameOf(clean)) : NameOf(clean));
}

class Pack final : public Command, public ChecksAhead {
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
  std::optional<std::string> CheckAlone(const SharedOptions&) const override {
    return CheckPairFolders(options_.pairs, {});
  }
  std::string output_folder() const override { return options_.output; }
  size_t least_lease() const override {
    return MembersList::Held(options_).total() +
           (options_.format == "lmdb" ? LmdbSampleWriter::kUsuallyHeld : 0);
  }
  void set_output_folder(const std::string& folder) override { options_.output = folder; }
  Status MayRead(const CommandServices&, const StepsBefore& before) const override {
    return MayReadPairs(options_.pairs, before);
  }
  Status MayWrite(const CommandServices& services, const StepsBefore&) const override {
    return MayPack(options_, services);
  }

  Result<std::unique_ptr<CommandRun>> Begin(ItemSource& source, const CommandServices& services) override {
    PackedPairs pairs;
    for (const std::string& folder : options_.pairs) {
      PairIndex read =
          TRY(ReadPairs(source, services, {folder, {}, options_.output, "name that of their partners"}));
      pairs.indexes.push_back(std::move(read));
      pairs.folders.push_back(NameOfPair(folder));
    }
    return BeginPack(options_, std::move(pairs), source, services);
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
    const std::string name = NameOfPair(folder);
    if (name == "." || name == ".." || name.empty())
      return "--pair " + PrintablePath(folder) +
             ": the folder's name is part of its images' names: write it out";
    if (!names.insert(name).second)
      return "two --pair folders are called " + PrintablePath(name) + " (rename one, or use a link)";
  }
  if (sidecars.empty() || sidecars == kNoSidecars) return std::nullopt;
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
