#include "sample_gatherer.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "base/try.h"
#include "imgmill/base/path_text.h"
#include "shard_writer.h"

namespace imgmill {
namespace {

/// Readers of WebDataset lower endings, and end with an error at the second file of one name.
std::optional<Error> FindAlike(const ShardSample& sample) {
  std::map<std::string, const PackedFile*> seen;
  for (const PackedFile& file : sample.files) {
    std::string lowered = file.member;
    for (size_t i = sample.key.size(); i < lowered.size(); ++i) {
      if (lowered[i] >= 'A' && lowered[i] <= 'Z') lowered[i] = static_cast<char>(lowered[i] - 'A' + 'a');
    }
    const auto [there, is_new] = seen.emplace(std::move(lowered), &file);
    if (is_new) continue;
    if (there->second->member == file.member)
      return Error{Stage::kWrite, Code::kConflict,
                   PrintablePath(there->second->path) + " and " + PrintablePath(file.path) +
                       " would both be called " + PrintablePath(file.member) + ": rename one"};
    return Error{Stage::kWrite, Code::kConflict,
                 PrintablePath(there->second->member) + " and " + PrintablePath(file.member) +
                     " differ only in case, which readers of WebDataset take for one: rename one"};
  }
  return std::nullopt;
}

/// Whether images of the sample may come behind this member: what is in a folder "a.b" is listed among the
/// images "a.1.png" and "a.png".
bool IsAmid(const ShardSample& sample, const std::string& member) {
  return member.starts_with(sample.key + ".") && member.find('/', sample.key.size()) != std::string::npos;
}

/// With what is made of it: a record, a line of members.jsonl, and a key to find names that are alike by.
/// Measured: 1.7 KiB for names of 100 bytes.
size_t HeldBy(const PackedFile& file) {
  constexpr size_t kBesideNames = 1024;
  return kBesideNames + 3 * (file.path.size() + file.member.size());
}

}  // namespace

SampleGatherer::SampleGatherer(Put put, SampleWriter::Lost lost, Room room)
    : put_(std::move(put)), lost_(std::move(lost)), room_(std::move(room)) {}

Status SampleGatherer::Add(const PackedImage& image) {
  const std::string& member = image.files.front().member;
  const std::string key(SampleKey(member).value_or(""));
  while (!open_.empty() && open_.back().sample.key != key && !IsAmid(open_.back().sample, member))
    TRY(PutLast());
  if (open_.empty() || open_.back().sample.key != key) open_.emplace_back().sample.key = key;
  Open& open = open_.back();
  ShardSample& sample = open.sample;
  if (open.lost) {
    lost_({key, image.files, 1}, "", *open.lost);
    return {};
  }
  const Status held = Hold(open, image);
  sample.files.insert(sample.files.end(), image.files.begin(), image.files.end());
  ++sample.listed;
  if (held) return {};
  lost_(sample, image.files.front().path, held.error());
  bytes_ -= open.bytes;
  open = {{key, {}, 0}, 0, held.error()};
  return {};
}

Status SampleGatherer::Hold(Open& open, const PackedImage& image) {
  size_t bytes = 0;
  for (const PackedFile& file : image.files) bytes += HeldBy(file);
  open.bytes += bytes;
  bytes_ += bytes;
  while (bytes_ > kStep * (leases_.size() + 1)) {
    Result<Lease> lease = room_(kStep);
    if (!lease)
      return Error{lease.error().stage, lease.error().code,
                   "a sample of more than " + std::to_string(open.sample.files.size()) +
                       " files is too large to be put together: " + lease.error().message};
    leases_.push_back(*std::move(lease));
  }
  return {};
}

Status SampleGatherer::Finish() {
  while (!open_.empty()) TRY(PutLast());
  return {};
}

Status SampleGatherer::PutLast() {
  ShardSample sample = std::move(open_.back().sample);
  const bool lost = open_.back().lost.has_value();
  bytes_ -= open_.back().bytes;
  open_.pop_back();
  if (lost) return {};
  const auto by_member = [](const PackedFile& a, const PackedFile& b) { return a.member < b.member; };
  // Two images of one sample may have the same side-cars.
  const auto same = [](const PackedFile& a, const PackedFile& b) { return a.path == b.path; };
  std::sort(sample.files.begin(), sample.files.end(), by_member);
  sample.files.erase(std::unique(sample.files.begin(), sample.files.end(), same), sample.files.end());
  if (const std::optional<Error> alike = FindAlike(sample)) {
    lost_(sample, sample.files.front().path, *alike);
    return {};
  }
  return put_(std::move(sample));
}

}  // namespace imgmill
