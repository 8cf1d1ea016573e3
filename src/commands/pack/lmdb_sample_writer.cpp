// The database is one file, written whole or found finished.
#include "lmdb_sample_writer.h"

#include <algorithm>
#include <filesystem>

#include "base/path_parts.h"
#include "base/try.h"
#include "base/utf8.h"
#include "commands/growing_file.h"

namespace imgmill {
namespace {

constexpr char kDatabase[] = "data.mdb";

/// An image's key is that of its sample, without an ending, as BasicSR looks for it.
std::string_view KeyOf(const ShardSample& sample, const PackedFile& file) {
  return file.sidecar ? std::string_view(file.member) : std::string_view(sample.key);
}

/// What the database cannot take, or the list.
Status CheckNames(const ShardSample& sample, const PackedFile& file) {
  TRY(LmdbWriter::Check(KeyOf(sample, file), file.bytes));
  if (file.sidecar || IsPlainText(file.member)) return {};
  return Error{Stage::kWrite, Code::kUnsupported,
               "meta_info.txt lists names as lines of UTF-8, and this one has control characters, such as a "
               "line's end, or bytes that are not UTF-8: rename it"};
}

std::string MetaLine(const PackedFile& image) {
  // The last number is the level of PNG's compression in BasicSR's own tool; readers pass over it.
  return image.member + " (" + std::to_string(image.height) + "," + std::to_string(image.width) + "," +
         std::to_string(image.bands) + ") 1\n";
}

}  // namespace

LmdbSampleWriter::LmdbSampleWriter(const PackOptions& options, const CommandServices& services, Lost lost)
    : options_(options),
      services_(services),
      lost_(std::move(lost)),
      dry_(services.shared->mode != RunMode::kRun),
      folder_(options.output, "pack-lmdb/1", *services.catalog, services.shared->force) {}

Status LmdbSampleWriter::MayOpen(const PackOptions& options, const CommandServices& services) {
  const bool force = services.shared->force;
  TRY(IsOfOneFormat(options.output, "index.json", "shards", force));
  TRY(GrowingFile::MayCreate(MetaInfoPath(options), *services.catalog, force));
  return MembersList::MayCreate(options, services);
}

Result<std::unique_ptr<LmdbSampleWriter>> LmdbSampleWriter::Open(const PackOptions& options,
                                                                 const CommandServices& services, Lost lost) {
  return std::unique_ptr<LmdbSampleWriter>(new LmdbSampleWriter(options, services, std::move(lost)));
}

Footprint LmdbSampleWriter::Held(uint64_t largest) const {
  return MembersList::Held(options_) +
         Footprint{0, LmdbWriter::kHeldBytes + kCopyBytes + static_cast<size_t>(largest)};
}

bool LmdbSampleWriter::HasSet() const {
  return HasSamples(options_.output, kDatabase);
}

Status LmdbSampleWriter::Add(ShardSample sample) {
  for (const PackedFile& file : sample.files) {
    const Status named = CheckNames(sample, file);
    if (named) continue;
    lost_(sample, file.path, named.error());
    return {};
  }
  for (const PackedFile& file : sample.files) bytes_ += LmdbWriter::BytesFor(KeyOf(sample, file), file.bytes);
  samples_.Add(sample);
  return {};
}

Status LmdbSampleWriter::Finish() {
  if (samples_.size() == 0) return {};
  Item item = TRY(ItemOfMembers(samples_));
  const bool finished = TRY(folder_.Finished(item, kDatabase));
  if (!finished && dry_) TRY(folder_.MayWrite(item, kDatabase));
  if (finished || dry_) {
    totals_.finished = finished ? 1 : 0;
    return WriteLists(samples_);
  }
  const std::string path = TRY(folder_.Begin(item, kDatabase));
  TemporaryFile temporary(path);
  RecordTable<ShardSample> packed = TRY(WriteDatabase(temporary.path()));
  if (packed.size() > 0) {
    const Item left = TRY(ItemOfMembers(packed));
    TRY(folder_.Commit(left, kDatabase, temporary.path()));
    temporary.Release();
  }
  return WriteLists(packed);
}

Result<RecordTable<ShardSample>> LmdbSampleWriter::WriteDatabase(const std::string& temporary) {
  const std::unique_ptr<LmdbWriter> database =
      TRY(LmdbWriter::Create(temporary, bytes_, folder_.PathOf(kDatabase)));
  std::vector<char> buffer(kCopyBytes);
  RecordTable<ShardSample> packed;
  const Status all = samples_.ForEach([&](const ShardSample& sample) -> Status {
    if (services_.stop->StopRequested())
      return Error{Stage::kWrite, Code::kInterrupted, "stopped while packing"};
    const bool put = TRY(Put(sample, *database, buffer));
    if (put) packed.Add(sample);
    return {};
  });
  if (!all) return all.error();
  TRY(database->Finish());
  return packed;
}

Result<bool> LmdbSampleWriter::Put(const ShardSample& sample, LmdbWriter& database,
                                   std::vector<char>& buffer) {
  for (size_t i = 0; i < sample.files.size(); ++i) {
    const PackedFile& file = sample.files[i];
    const Result<char*> room = database.Reserve(KeyOf(sample, file), file.bytes);
    char* to = room ? *room : nullptr;
    const Status copied = room ? CopyContent(file, buffer,
                                             [&](const char* data, size_t bytes) {
                                               to = std::copy_n(data, bytes, to);
                                               return Status();
                                             })
                               : Status(room.error());
    if (copied) continue;
    const bool of_this_file = copied.error().stage != Stage::kWrite ||
                              copied.error().code == Code::kLimitExceeded ||
                              copied.error().code == Code::kConflict;
    if (!of_this_file) return copied.error();
    lost_(sample, file.path, copied.error());
    for (size_t put = 0; put < i + (room ? 1 : 0); ++put)
      TRY(database.Remove(KeyOf(sample, sample.files[put])));
    return false;
  }
  return true;
}

Status LmdbSampleWriter::WriteLists(const RecordTable<ShardSample>& samples) {
  std::unique_ptr<GrowingFile> meta_info;
  std::unique_ptr<MembersList> members;
  if (!dry_) {
    std::unique_ptr<GrowingFile> file =
        TRY(GrowingFile::Create(MetaInfoPath(options_), *services_.catalog, services_.shared->force));
    meta_info = std::move(file);
    std::unique_ptr<MembersList> list = TRY(MembersList::Create(options_, services_));
    members = std::move(list);
  }
  const Status told = samples.ForEach([&](const ShardSample& sample) -> Status {
    totals_.files += sample.files.size();
    if (totals_.finished > 0) totals_.finished_listed += sample.listed;
    for (const PackedFile& file : sample.files) {
      totals_.bytes += file.bytes;
      totals_.images += file.sidecar ? 0 : 1;
      if (!dry_ && !file.sidecar) TRY(meta_info->Write(MetaLine(file)));
    }
    return dry_ ? Status() : members->Add(kDatabase, sample);
  });
  if (!told) return told;
  totals_.samples = samples.size();
  totals_.shards = samples.size() > 0 ? 1 : 0;
  if (dry_) return {};
  TRY(meta_info->Commit());
  return members->Commit();
}

}  // namespace imgmill
