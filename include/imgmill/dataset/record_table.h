// What a run keeps of its images, however many there are: records in their order, on the disk.
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "imgmill/base/result.h"

namespace imgmill {

/// Records of bytes. The first 64 KiB are in memory, the rest in an unnamed temporary file (in TMPDIR, else
/// /var/tmp or /tmp). Beside that a byte a record is held.
class RecordFile {
 public:
  RecordFile();
  ~RecordFile();
  RecordFile(const RecordFile&) = delete;
  RecordFile& operator=(const RecordFile&) = delete;

  /// From one thread at a time. A failure (kDiskFull, kWriteError) is reported when the table is read.
  void Add(std::string_view record);
  uint64_t size() const { return count_; }
  Result<std::string> At(uint64_t row) const;

  /// Reads from a row on, in order; of a file that nothing is added to meanwhile.
  class Reader {
   public:
    explicit Reader(const RecordFile& file, uint64_t row = 0, size_t piece_bytes = kPieceBytes);
    /// False at the end. `record` is good until the next call.
    Result<bool> Next(std::string_view& record);

   private:
    Status Have(size_t bytes);

    const RecordFile& file_;
    const size_t piece_bytes_;
    std::string piece_;
    uint64_t piece_at_ = 0;  // of its first byte in the file
    size_t used_ = 0;
  };

 private:
  static constexpr size_t kPieceBytes = size_t{64} << 10;
  static constexpr uint64_t kRowsPerMark = 8;
  struct Spilled;

  void Spill();
  Status ReadAt(uint64_t at, char* to, size_t bytes) const;
  uint64_t bytes() const { return spilled_bytes_ + pending_.size(); }

  uint64_t count_ = 0;
  std::vector<uint64_t> marks_;  // where each eighth record begins
  std::string pending_;
  uint64_t spilled_bytes_ = 0;
  std::unique_ptr<Spilled> spilled_;
  Status status_;
};

/// The fields of a record as bytes: numbers and plain structs as they are, strings and vectors after their
/// length. A record type names its fields in `EachField(self, each)`.
class FieldsToBytes {
 public:
  explicit FieldsToBytes(std::string& bytes) : bytes_(bytes) {}
  template <typename T>
  void operator()(const T& value) const {
    if constexpr (std::is_trivially_copyable_v<T>) {
      bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      (*this)(value.size());
      bytes_.append(value);
    } else if constexpr (requires { value.begin(); }) {
      (*this)(value.size());
      for (const auto& each : value) (*this)(each);
    } else {
      T::EachField(value, *this);
    }
  }

 private:
  std::string& bytes_;
};

/// The way back.
class FieldsFromBytes {
 public:
  explicit FieldsFromBytes(std::string_view bytes) : bytes_(bytes) {}
  template <typename T>
  void operator()(T& value) {
    if constexpr (std::is_trivially_copyable_v<T>) {
      std::memcpy(&value, Take(sizeof value).data(), sizeof value);
    } else if constexpr (std::is_same_v<T, std::string>) {
      value = Take(Count());
    } else if constexpr (requires { value.begin(); }) {
      value.resize(Count());
      for (auto& each : value) (*this)(each);
    } else {
      T::EachField(value, *this);
    }
  }

 private:
  size_t Count() {
    size_t count = 0;
    (*this)(count);
    return count;
  }
  std::string_view Take(size_t count) {
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }

  std::string_view bytes_;
};

/// Records of one type. Copies share them.
template <typename T>
class RecordTable {
 public:
  RecordTable() = default;
  RecordTable(const std::vector<T>& records) {
    for (const T& record : records) Add(record);
  }
  /// From one thread at a time.
  void Add(const T& record) {
    std::string bytes;
    FieldsToBytes{bytes}(record);
    file_->Add(bytes);
  }
  uint64_t size() const { return file_->size(); }
  bool empty() const { return size() == 0; }

  /// kDiskFull or kWriteError where a record could not be kept, kReadError where it cannot be read again.
  Result<T> At(uint64_t row) const {
    const Result<std::string> bytes = file_->At(row);
    return bytes ? Result<T>(FromBytes(*bytes)) : bytes.error();
  }

  class Reader {
   public:
    explicit Reader(const RecordTable& table) : file_(table.file_), reader_(*file_) {}
    /// Nothing at the end.
    Result<std::optional<T>> Next() {
      std::string_view bytes;
      const Result<bool> more = reader_.Next(bytes);
      if (!more) return more.error();
      return *more ? std::optional<T>(FromBytes(bytes)) : std::nullopt;
    }
    /// Passes one over, which costs far less than to make it of its bytes. False at the end.
    Result<bool> Skip() {
      std::string_view bytes;
      return reader_.Next(bytes);
    }

   private:
    std::shared_ptr<RecordFile> file_;
    RecordFile::Reader reader_;
  };

  /// Calls `each`, which returns a Status, with all records in order, until one fails.
  template <typename Each>
  Status ForEach(const Each& each) const {
    Reader reader(*this);
    while (true) {
      Result<std::optional<T>> record = reader.Next();
      if (!record) return record.error();
      if (!*record) return {};
      if (Status done = each(**record); !done) return done;
    }
  }

 private:
  static T FromBytes(std::string_view bytes) {
    T record{};
    FieldsFromBytes fields(bytes);
    fields(record);
    return record;
  }

  std::shared_ptr<RecordFile> file_ = std::make_shared<RecordFile>();
};

}  // namespace imgmill
