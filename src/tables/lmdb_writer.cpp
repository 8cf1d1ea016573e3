// Transactions of some MiB: what is not committed yet is in memory.
#include "tables/lmdb_writer.h"

#include <fcntl.h>
#include <lmdb.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "base/try.h"
#include "base/unique_fd.h"
#include "imgmill/base/errno_error.h"
#include "imgmill/base/path_text.h"

namespace imgmill {
namespace {

constexpr uint64_t kPage = 4096;
constexpr uint64_t kTransactionBytes = uint64_t{16} << 20;
/// For the tree's upper pages, and those that a transaction has freed and the next may not use yet.
constexpr uint64_t kMoreRoom = uint64_t{64} << 20;

/// LMDB tells a write that was cut short by a full disk as EIO: the next one at the end of the file fails
/// with the reason. @return EIO if it does not. What it writes is no part of the database.
int ReasonOfShortWrite(const std::string& path) {
  constexpr int kBlocks = 64;  // more than LMDB writes at once
  const UniqueFd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file.valid()) return EIO;
  const std::vector<char> zeros(size_t{64} << 10);
  for (int block = 0; block < kBlocks; ++block) {
    if (::write(file.get(), zeros.data(), zeros.size()) < 0 && errno != EINTR) return errno;
  }
  return EIO;
}

MDB_val ValueOf(std::string_view text) {
  return {text.size(), const_cast<char*>(text.data())};
}

}  // namespace

uint64_t LmdbWriter::BytesFor(std::string_view key, uint64_t value_bytes) {
  // A value has pages of its own, behind a header of 16 bytes, or stands in a leaf, which may be half empty.
  const uint64_t own = (value_bytes + 16 + kPage - 1) / kPage * kPage;
  return own + 4 * (key.size() + 64);
}

Result<std::unique_ptr<LmdbWriter>> LmdbWriter::Create(const std::string& path, uint64_t bytes,
                                                       const std::string& shown) {
  const std::string& name = shown.empty() ? path : shown;
  MDB_env* env = nullptr;
  if (const int code = ::mdb_env_create(&env); code != 0)
    return ErrnoError(Stage::kWrite, code, PrintablePath(name));
  std::unique_ptr<LmdbWriter> writer(new LmdbWriter(path, name, env));
  const uint64_t room = (bytes + bytes / 16 + kMoreRoom) / kPage * kPage;
  int code = ::mdb_env_set_mapsize(env, room);
  // Whoever publishes the file syncs it, and nobody else has it open.
  if (code == 0) code = ::mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_NOSYNC | MDB_NOLOCK, 0644);
  if (code != 0) return writer->Failed(code);
  TRY(writer->Begin());
  return writer;
}

LmdbWriter::~LmdbWriter() {
  if (transaction_ != nullptr) ::mdb_txn_abort(transaction_);
  ::mdb_env_close(env_);
}

Status LmdbWriter::Begin() {
  int code = ::mdb_txn_begin(env_, nullptr, 0, &transaction_);
  if (code == 0) code = ::mdb_dbi_open(transaction_, nullptr, 0, &table_);
  return code == 0 ? Status() : Failed(code);
}

Status LmdbWriter::CommitPending() {
  const int code = ::mdb_txn_commit(std::exchange(transaction_, nullptr));
  pending_ = 0;
  return code == 0 ? Status() : Failed(code);
}

Status LmdbWriter::Check(std::string_view key, uint64_t value_bytes) {
  if (value_bytes > kMostValueBytes)
    return Error{Stage::kWrite, Code::kLimitExceeded, "LMDB takes values up to 4 GiB"};
  if (!key.empty() && key.size() <= kMostKeyBytes) return {};
  return Error{Stage::kWrite, Code::kLimitExceeded,
               "LMDB takes keys of 1 to 511 bytes: \"" + PrintablePath(key) + "\""};
}

Result<char*> LmdbWriter::Reserve(std::string_view key, uint64_t bytes) {
  TRY(Check(key, bytes));
  if (pending_ > kTransactionBytes) {
    TRY(CommitPending());
    TRY(Begin());
  }
  MDB_val name = ValueOf(key), value{bytes, nullptr};
  const int code = ::mdb_put(transaction_, table_, &name, &value, MDB_NOOVERWRITE | MDB_RESERVE);
  if (code == MDB_KEYEXIST)
    return Error{Stage::kWrite, Code::kConflict, "another file has the key \"" + PrintablePath(key) + "\""};
  if (code != 0) return Failed(code);
  pending_ += BytesFor(key, bytes);
  return static_cast<char*>(value.mv_data);
}

Status LmdbWriter::Remove(std::string_view key) {
  MDB_val name = ValueOf(key);
  const int code = ::mdb_del(transaction_, table_, &name, nullptr);
  return code == 0 ? Status() : Failed(code);
}

Status LmdbWriter::Finish() {
  return CommitPending();
}

Error LmdbWriter::Failed(int code) const {
  if (code <= 0)
    return {Stage::kWrite, Code::kWriteError, PrintablePath(shown_) + ": " + ::mdb_strerror(code)};
  return ErrnoError(Stage::kWrite, code == EIO ? ReasonOfShortWrite(path_) : code, PrintablePath(shown_));
}

}  // namespace imgmill
