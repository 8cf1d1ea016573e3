// Vectors of one kind in one append-only file, which searches map a window at a time.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// A page of header (kind and dimension, with a checksum), then rows of `dimension` float32 in the machine's
/// byte order. Which content a row belongs to is in the catalog's database, as a fact that holds
/// the row's Place. So an append that was killed leaves at most rows that nothing refers to, and part of
/// a row, which the next append overwrites. A row that was damaged by a power cut is detected by its
/// checksum.
///
/// Appends, reads and windows may run on many threads at once.
class VectorFile {
 public:
  /// Where a vector lies, and a checksum of its bytes.
  struct Place {
    uint64_t row = 0;
    uint64_t checksum = 0;
  };

  /// The file of `kind` below a catalog's folder; it is made if need be. An empty folder gives a private one
  /// in $TMPDIR that vanishes with the object.
  /// @param kind  what made the vectors: name, version, model, input; at most 2000 bytes.
  /// @param dimension  floats in a vector; 0 takes what the file says, and makes none: then the result may be
  ///   null.
  /// Errors are of stage kCatalog: kMalformed names the file and says that it may be deleted, kDiskFull.
  static Result<std::unique_ptr<VectorFile>> Open(const std::string& catalog_folder, const std::string& kind,
                                                  int dimension);
  /// At a path of the caller's.
  static Result<std::unique_ptr<VectorFile>> OpenAt(const std::string& path, const std::string& kind,
                                                    int dimension);
  /// Where Open has the file of a kind.
  static std::string PathOf(const std::string& catalog_folder, const std::string& kind);
  /// The kinds of which there are vectors below a catalog's folder, and their dimensions, in order; those of
  /// damaged files are left out.
  static std::vector<std::pair<std::string, int>> KindsIn(const std::string& catalog_folder);
  ~VectorFile();
  VectorFile(const VectorFile&) = delete;
  VectorFile& operator=(const VectorFile&) = delete;

  int dimension() const { return dimension_; }
  /// Rows that are complete, named or not.
  uint64_t rows() const { return rows_; }
  const std::string& path() const { return path_; }

  /// Writes one more row. Durable against a killed process when it returns.
  Result<Place> Append(std::span<const float> vector);

  /// Returns when all rows are on the disk.
  Status Sync() const;

  /// Of a vector's bytes, as in its Place.
  static uint64_t ChecksumOf(std::span<const float> vector);

  /// Copies the row out. kMalformed if it is not what was appended; `vector` is then whatever was there.
  Status Read(const Place& place, std::span<float> vector) const;

  /// Maps rows [first, first + count) for the time of the call. What is mapped counts as resident, so callers
  /// look at some MiB at once.
  Status View(uint64_t first, uint64_t count, const std::function<void(const float* rows)>& see) const;

 private:
  VectorFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  Status Prepare(const std::string& kind, int dimension);
  size_t row_bytes() const { return static_cast<size_t>(dimension_) * sizeof(float); }

  const int fd_;
  const std::string path_;
  int dimension_ = 0;
  std::mutex append_mutex_;
  std::atomic<uint64_t> rows_{0};
};

/// The name of the fact that holds the place of a content's vector: the bytes of a VectorFile::Place.
/// @param lenient  of the readable part of a broken file, which has another one than the whole
std::string VectorFact(const std::string& kind, bool lenient);

}  // namespace imgmill
