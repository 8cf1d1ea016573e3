// A pass over the file, then a sorted list of digests of paths.
#include "imported_vectors.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cmath>

#include "archive/archive_path.h"
#include "base/path_parts.h"
#include "base/try.h"
#include "base/usage_error.h"
#include "embed_operation.h"
#include "imgmill/base/path_text.h"
#include "vector_table.h"

namespace imgmill {
namespace {

/// The file that a name of the table means: as it stands, or without the escapes of `--export`.
Result<std::optional<std::string>> FileOf(const std::string& name, const std::string& base) {
  using Found = std::optional<std::string>;
  const auto below = [&](const std::string& path) {
    return base.empty() || path.starts_with('/') ? path : Join(base, path);
  };
  if (name.empty()) return Found();
  for (const std::string& path : {below(name), below(PathFromPrintable(name))}) {
    struct stat there {};
    if (StatPath(path, &there) == 0) return Found(CanonicalOrSame(path));
    // Of a member of an archive that could not be looked through: nobody knows whether it is there.
    if (errno == ENOMEM || errno == EINTR) return StatError(path, errno);
  }
  return Found();
}

}  // namespace

Result<std::unique_ptr<ImportedVectors>> ImportedVectors::Read(const ImportOptions& options,
                                                               const CommandServices& services) {
  std::unique_ptr<ImportedVectors> read(new ImportedVectors(options));
  VectorTable table = TRY(VectorTable::Open(options));
  if (table.rows() == 0) return UsageError(PrintablePath(options.file) + ": it has no rows");
  if (table.rows() > UINT32_MAX)
    return UsageError(PrintablePath(options.file) + ": it has more than 2^32 rows");
  const Footprint reading = TRY(table.Needs());
  Lease lease = TRY(services.memory->Acquire({table.rows() * sizeof(Entry), 0}, *services.stop));
  read->lease_ = std::move(lease);
  read->entries_ = PoolArray<Entry>(table.rows());
  const Lease pages = TRY(services.memory->Acquire(reading, *services.stop));
  const Status taken = table.ForEach([&](const std::string& name, std::span<float> vector) -> Status {
    if (services.stop->StopRequested())
      return Error{Stage::kConfigure, Code::kInterrupted, "stopped while reading vectors"};
    return read->Take(name, vector);
  });
  if (!taken) return taken.error();
  if (read->missing_ == read->rows_)
    return UsageError("none of the images that " + PrintablePath(options.file) +
                      " names is there (the first: " + PrintablePath(read->first_missing_) +
                      "): say with --import-base which folder the paths begin at");
  if (!read->vectors_) {
    const Entry& first = read->entries_[0];
    return UsageError(PrintablePath(options.file) +
                      ": none of its rows has a vector that can be used: that of row " +
                      std::to_string(first.row) + ", counted from 0, " + read->WhatIsWrong(first.state));
  }
  TRY(read->Sort());
  return read;
}

Status ImportedVectors::Take(const std::string& name, std::span<float> vector) {
  const uint64_t row = rows_++;
  const std::optional<std::string> path = TRY(FileOf(name, options_.base));
  if (!path) {
    if (missing_++ == 0)
      first_missing_ = name.empty() ? "row " + std::to_string(row) + ", which has no path" : name;
    return {};
  }
  Entry entry;
  entry.path = DigestOfBytes(path->data(), path->size()).bytes;
  entry.row = static_cast<uint32_t>(row);
  if (vector.empty()) {
    entry.state = State::kMissing;
  } else if (vectors_ && vector.size() != static_cast<size_t>(vectors_->dimension())) {
    entry.state = State::kOtherLength;
  } else if (!std::all_of(vector.begin(), vector.end(), [](float value) { return std::isfinite(value); })) {
    entry.state = State::kNotFinite;
  } else if (!Normalise(vector)) {
    entry.state = State::kZero;
  } else {
    if (!vectors_) {
      std::unique_ptr<VectorFile> made =
          TRY(VectorFile::Open("", "imported", static_cast<int>(vector.size())));
      vectors_ = std::move(made);
    }
    const VectorFile::Place place = TRY(vectors_->Append(vector));
    entry.place = place.row;
    entry.checksum = place.checksum;
  }
  entries_[count_++] = entry;
  return {};
}

Status ImportedVectors::Sort() {
  const std::span<Entry> entries = entries_.span().first(count_);
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return a.path != b.path ? a.path < b.path : a.row < b.row;
  });
  for (size_t i = 1; i < entries.size(); ++i) {
    const Entry &a = entries[i - 1], &b = entries[i];
    if (a.path == b.path && (a.checksum != b.checksum || a.state != b.state))
      return UsageError(NameOfRows(a.row, b.row) + " are of one image and differ");
  }
  return {};
}

std::string ImportedVectors::NameOfRows(uint64_t a, uint64_t b) const {
  return PrintablePath(options_.file) + ": its rows " + std::to_string(std::min(a, b)) + " and " +
         std::to_string(std::max(a, b)) + ", counted from 0,";
}

uint64_t ImportedVectors::RowWith(uint64_t checksum) const {
  uint64_t row = rows_;
  for (const Entry& entry : entries_.span().first(count_)) {
    if (entry.state == State::kSound && entry.checksum == checksum) row = std::min<uint64_t>(row, entry.row);
  }
  return row;
}

Result<uint64_t> ImportedVectors::RowOf(const std::string& path) const {
  const Entry* const entry = TRY(FindEntry(path));
  return uint64_t{entry->row};
}

Result<VectorFile::Place> ImportedVectors::Find(const std::string& path) const {
  const Entry* const entry = TRY(FindEntry(path));
  return VectorFile::Place{entry->place, entry->checksum};
}

Result<const ImportedVectors::Entry*> ImportedVectors::FindEntry(const std::string& path) const {
  const std::array<uint8_t, 16> digest = DigestOfBytes(path.data(), path.size()).bytes;
  const std::span<const Entry> entries = entries_.span().first(count_);
  const auto found =
      std::lower_bound(entries.begin(), entries.end(), digest,
                       [](const Entry& entry, const auto& wanted) { return entry.path < wanted; });
  const std::string file = PrintablePath(options_.file);
  if (found == entries.end() || found->path != digest)
    return Error{Stage::kCompute, Code::kNotFound, file + " has no vector for it"};
  if (found->state == State::kSound) return &*found;
  return Error{Stage::kCompute, Code::kMalformed,
               "its vector in " + file + " (row " + std::to_string(found->row) + ", counted from 0) " +
                   WhatIsWrong(found->state)};
}

std::string ImportedVectors::WhatIsWrong(State state) const {
  switch (state) {
    case State::kMissing:
      return "is missing";
    case State::kNotFinite:
      return "has a value that is infinite or not a number, or that a float of 32 bits cannot hold";
    case State::kZero:
      return "is zero, and has no direction to compare";
    case State::kSound:
    case State::kOtherLength:
      break;
  }
  return "is of another length than the others, which have " + std::to_string(dimension()) + " numbers";
}

}  // namespace imgmill
