// A shard begins where the next sample would make the one before too large.
#include "shard_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <set>

#include "archive/tar_writer.h"
#include "base/try.h"
#include "commands/growing_file.h"
#include "imgmill/base/byte_size.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

uint64_t BytesOf(const ShardSample& sample) {
  uint64_t bytes = 0;
  for (const PackedFile& file : sample.files) bytes += TarWriter::MemberBytes(file.member, file.bytes);
  return bytes;
}

}  // namespace

ShardWriter::ShardWriter(const PackOptions& options, const CommandServices& services, Lost lost)
    : options_(options),
      services_(services),
      lost_(std::move(lost)),
      dry_(services.shared->mode != RunMode::kRun),
      most_bytes_(*ParseByteSize(options.shard_size)),
      folder_(options.output, "pack/1", *services.catalog, services.shared->force) {}

Status ShardWriter::MayOpen(const PackOptions& options, const CommandServices& services) {
  const bool force = services.shared->force;
  TRY(IsOfOneFormat(options.output, "data.mdb", "a database", force));
  TRY(GrowingFile::MayCreate(IndexPath(options), *services.catalog, force));
  return MembersList::MayCreate(options, services);
}

Result<std::unique_ptr<ShardWriter>> ShardWriter::Open(const PackOptions& options,
                                                       const CommandServices& services, Lost lost) {
  std::unique_ptr<ShardWriter> writer(new ShardWriter(options, services, std::move(lost)));
  if (!writer->dry_) {
    std::unique_ptr<MembersList> members = TRY(MembersList::Create(options, services));
    writer->members_ = std::move(members);
  }
  return writer;
}

Footprint ShardWriter::Held(uint64_t) const {
  return MembersList::Held(options_) + Footprint{0, kCopyBytes + BUFSIZ};
}

std::string ShardWriter::NameOfShard(uint64_t number) const {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return options_.prefix + "-" + digits + ".tar";
}

Status ShardWriter::Add(ShardSample sample) {
  const uint64_t bytes = BytesOf(sample);
  const bool full =
      pending_bytes_ + bytes + TarWriter::kEndBytes > most_bytes_ ||
      (options_.shard_samples && pending_.size() == static_cast<uint64_t>(*options_.shard_samples));
  if (pending_.size() > 0 && full) TRY(WriteShard());
  pending_.Add(sample);
  pending_bytes_ += bytes;
  return {};
}

Status ShardWriter::WriteShard() {
  const std::string name = NameOfShard(totals_.shards);
  Item item = TRY(ItemOfMembers(pending_));
  const bool finished = TRY(folder_.Finished(item, name));
  RecordTable<ShardSample> packed = pending_;
  if (!finished && dry_) TRY(folder_.MayWrite(item, name));
  if (!finished && !dry_) {
    const std::string path = TRY(folder_.Begin(item, name));
    TemporaryFile temporary(path);
    RecordTable<ShardSample> written = TRY(WriteMembers(temporary.path(), folder_.PathOf(name)));
    packed = std::move(written);
    if (packed.size() > 0) {
      Item left = TRY(ItemOfMembers(packed));
      item = std::move(left);
      TRY(folder_.Commit(item, name, temporary.path()));
      temporary.Release();
    }
  }
  totals_.finished += finished ? 1 : 0;
  pending_ = {};
  pending_bytes_ = 0;
  if (packed.size() > 0) TRY(Describe(name, packed, finished));
  return {};
}

Result<RecordTable<ShardSample>> ShardWriter::WriteMembers(const std::string& temporary,
                                                           const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(temporary.c_str(), "wbe"),
                                                             &std::fclose);
  if (!file) return ErrnoError(Stage::kWrite, errno, PrintablePath(path));
  TarWriter archive(file.get(), path);
  std::vector<char> buffer(kCopyBytes);
  RecordTable<ShardSample> packed;
  const Status all = pending_.ForEach([&](const ShardSample& sample) -> Status {
    if (services_.stop->StopRequested())
      return Error{Stage::kWrite, Code::kInterrupted, "stopped while packing"};
    const uint64_t before = archive.bytes();
    for (const PackedFile& each : sample.files) {
      TRY(archive.Begin(each.member, each.bytes));
      const Status copied = CopyContent(
          each, buffer, [&](const char* data, size_t bytes) { return archive.Write(data, bytes); });
      if (!copied && copied.error().stage == Stage::kWrite) return copied;
      if (!copied) {
        lost_(sample, each.path, copied.error());
        return archive.CutTo(before);
      }
      TRY(archive.End());
    }
    packed.Add(sample);
    return {};
  });
  if (!all) return all.error();
  TRY(archive.Finish());
  if (std::fflush(file.get()) != 0) return ErrnoError(Stage::kWrite, errno, PrintablePath(path));
  return packed;
}

Status ShardWriter::Describe(const std::string& shard, const RecordTable<ShardSample>& samples,
                             bool finished) {
  uint64_t bytes = TarWriter::kEndBytes;
  const Status told = samples.ForEach([&](const ShardSample& sample) -> Status {
    bytes += BytesOf(sample);
    totals_.files += sample.files.size();
    if (finished) totals_.finished_listed += sample.listed;
    for (const PackedFile& file : sample.files) totals_.images += file.sidecar ? 0 : 1;
    return dry_ ? Status() : members_->Add(shard, sample);
  });
  if (!told) return told;
  index_.push_back({{"url", shard}, {"nsamples", samples.size()}, {"filesize", bytes}});
  totals_.samples += samples.size();
  totals_.bytes += bytes;
  ++totals_.shards;
  return {};
}

Status ShardWriter::Finish() {
  if (pending_.size() > 0) TRY(WriteShard());
  if (dry_) return {};
  TRY(members_->Commit());
  std::unique_ptr<GrowingFile> index =
      TRY(GrowingFile::Create(IndexPath(options_), *services_.catalog, services_.shared->force));
  // As the wids of webdataset 0.2 reads it.
  nlohmann::ordered_json document;
  document["__kind__"] = "wids-shard-index-v1";
  document["wids_version"] = 1;
  document["shardlist"] = index_;
  TRY(index->Write(document.dump(1) + "\n"));
  return index->Commit();
}

std::vector<std::string> ShardWriter::Others() const {
  std::set<std::string> own;
  for (uint64_t number = 0; number < totals_.shards; ++number) own.insert(NameOfShard(number));
  std::vector<std::string> names;
  std::error_code unreadable;
  for (const auto& entry : std::filesystem::directory_iterator(options_.output, unreadable)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".tar") && !name.starts_with('.') && !own.contains(name)) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<uint64_t> ShardWriter::NumberOf(const std::string& name) const {
  const std::string begin = options_.prefix + "-";
  uint64_t number = 0;
  if (!name.starts_with(begin)) return std::nullopt;
  const auto [end, problem] = std::from_chars(name.data() + begin.size(), name.data() + name.size(), number);
  if (problem != std::errc() || NameOfShard(number) != name) return std::nullopt;
  return number;
}

bool ShardWriter::IsAsWritten(const std::string& name, std::vector<std::pair<WorkKey, WorkRow>>& rows) const {
  for (FoundWork& found : services_.catalog->FindOutputs(name)) {
    if (found.key.source != kPackedSource || !folder_.Holds(name, found.row)) continue;
    found.row.state = WorkRow::State::kIntent;
    rows.emplace_back(std::move(found.key), found.row);
  }
  return !rows.empty();
}

Result<uint64_t> ShardWriter::Prune() {
  uint64_t pruned = 0;
  for (const std::string& name : Others()) {
    std::vector<std::pair<WorkKey, WorkRow>> rows;
    const std::optional<uint64_t> number = NumberOf(name);
    if (!number || *number < totals_.shards || !IsAsWritten(name, rows)) continue;
    ++pruned;
    if (dry_) continue;
    // First the rows: gone on purpose is not missing.
    TRY(services_.catalog->PutWork(rows));
    const std::string path = folder_.PathOf(name);
    if (::unlink(path.c_str()) != 0 && errno != ENOENT)
      return ErrnoError(Stage::kWrite, errno, "remove " + PrintablePath(path));
  }
  return pruned;
}

}  // namespace imgmill
