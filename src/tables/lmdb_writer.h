// A database of LMDB, one key after another: what training programs read pictures from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "imgmill/base/result.h"

struct MDB_env;
struct MDB_txn;

namespace imgmill {

/// The same keys and values in the same order give the same bytes. What is written is in memory until some
/// MiB are, and until the value last asked for is complete.
class LmdbWriter {
 public:
  /// No longer key can be had, and no larger value.
  static constexpr size_t kMostKeyBytes = 511;
  static constexpr uint64_t kMostValueBytes = 0xFFFFFFFF;
  /// That are held beside one value.
  static constexpr size_t kHeldBytes = size_t{24} << 20;

  /// kLimitExceeded for a key that is too long or empty, or a value that is too large.
  static Status Check(std::string_view key, uint64_t value_bytes);
  /// What a value takes in the file at most.
  static uint64_t BytesFor(std::string_view key, uint64_t value_bytes);

  /// @param path   of the file (data.mdb of a database), which does not exist yet or is empty
  /// @param bytes  the sum of BytesFor: as much address space is taken, no memory
  /// @param shown  the name that errors give, where the path is a temporary one
  /// Errors: kDiskFull, kWriteError, kOutOfMemory.
  static Result<std::unique_ptr<LmdbWriter>> Create(const std::string& path, uint64_t bytes,
                                                    const std::string& shown = {});
  ~LmdbWriter();
  LmdbWriter(const LmdbWriter&) = delete;
  LmdbWriter& operator=(const LmdbWriter&) = delete;

  /// Where a new key's value is to be written, before anything else is called. kConflict for a key that is
  /// there, and what Check says.
  Result<char*> Reserve(std::string_view key, uint64_t bytes);
  /// The key is there.
  Status Remove(std::string_view key);
  /// All of it is in the file.
  Status Finish();

 private:
  LmdbWriter(std::string path, std::string shown, MDB_env* env)
      : path_(std::move(path)), shown_(std::move(shown)), env_(env) {}
  Status Begin();
  Status CommitPending();
  Error Failed(int code) const;

  const std::string path_;
  const std::string shown_;
  MDB_env* const env_;
  MDB_txn* transaction_ = nullptr;
  unsigned table_ = 0;
  uint64_t pending_ = 0;  ///< bytes of this transaction
};

}  // namespace imgmill
