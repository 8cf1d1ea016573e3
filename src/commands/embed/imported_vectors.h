// Vectors of a file, to be found by the paths of their images.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "imgmill/catalog/vector_file.h"
#include "imgmill/commands/embed.h"
#include "imgmill/memory/memory_manager.h"
#include "imgmill/memory/pool_array.h"

namespace imgmill {

/// Reads the file once, into a temporary file of vectors of length 1; of each image 40 bytes are held.
class ImportedVectors {
 public:
  /// kUsage where no image is there that the file names, or it gives two vectors to one.
  static Result<std::unique_ptr<ImportedVectors>> Read(const ImportOptions& options,
                                                       const CommandServices& services);

  int dimension() const { return vectors_->dimension(); }

  /// The vector of the image of this canonical path: its place among vectors(). The error says why there is
  /// none.
  Result<VectorFile::Place> Find(const std::string& path) const;
  const VectorFile& vectors() const { return *vectors_; }
  /// The table's row of the image of this canonical path; errors as Find.
  Result<uint64_t> RowOf(const std::string& path) const;
  /// The first row with a vector of this checksum.
  uint64_t RowWith(uint64_t checksum) const;
  /// For messages: "FILE: its rows 2 and 5, counted from 0," the lower one first.
  std::string NameOfRows(uint64_t a, uint64_t b) const;

  uint64_t rows() const { return rows_; }
  /// Rows of files that are not there, and the first such.
  uint64_t missing() const { return missing_; }
  const std::string& first_missing() const { return first_missing_; }

 private:
  enum class State : uint32_t { kSound, kMissing, kNotFinite, kZero, kOtherLength };
  struct Entry {
    std::array<uint8_t, 16> path;  ///< its digest
    uint64_t place = 0;            ///< of vectors_
    uint64_t checksum = 0;
    uint32_t row = 0;  ///< of the file
    State state = State::kSound;
  };

  explicit ImportedVectors(const ImportOptions& options) : options_(options) {}
  Status Take(const std::string& name, std::span<float> vector);
  Status Sort();
  Result<const Entry*> FindEntry(const std::string& path) const;
  /// Of a vector, in words that follow its name.
  std::string WhatIsWrong(State state) const;

  const ImportOptions options_;
  Lease lease_;
  std::unique_ptr<VectorFile> vectors_;
  PoolArray<Entry> entries_;
  size_t count_ = 0;
  uint64_t rows_ = 0, missing_ = 0;
  std::string first_missing_;
};

}  // namespace imgmill
