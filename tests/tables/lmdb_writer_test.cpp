// Databases as LMDB's own library reads them.
#include "tables/lmdb_writer.h"

#include <doctest/doctest.h>
#include <lmdb.h>
#include <sys/resource.h>

#include <csignal>
#include <cstring>
#include <map>

#include "dataset/test_folder.h"

using namespace imgmill;

namespace {

std::map<std::string, std::string> Contents(const std::string& path) {
  MDB_env* env = nullptr;
  MDB_txn* transaction = nullptr;
  MDB_dbi table = 0;
  MDB_cursor* cursor = nullptr;
  REQUIRE(::mdb_env_create(&env) == 0);
  REQUIRE(::mdb_env_open(env, path.c_str(), MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0) == 0);
  REQUIRE(::mdb_txn_begin(env, nullptr, MDB_RDONLY, &transaction) == 0);
  REQUIRE(::mdb_dbi_open(transaction, nullptr, 0, &table) == 0);
  REQUIRE(::mdb_cursor_open(transaction, table, &cursor) == 0);
  std::map<std::string, std::string> contents;
  MDB_val key, value;
  while (::mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0)
    contents[std::string(static_cast<char*>(key.mv_data), key.mv_size)] =
        std::string(static_cast<char*>(value.mv_data), value.mv_size);
  ::mdb_cursor_close(cursor);
  ::mdb_txn_abort(transaction);
  ::mdb_env_close(env);
  return contents;
}

/// Values of a few bytes to some pages, 40 MiB in all: several transactions.
std::map<std::string, std::string> Values() {
  std::map<std::string, std::string> values;
  values["empty"] = "";
  values[std::string(LmdbWriter::kMostKeyBytes, 'k')] = "of the longest key";
  for (int i = 0; i < 1500; ++i) {
    const auto bytes = static_cast<size_t>(i * 7919 % 60'000);
    values["folder/" + std::to_string(i)] = std::string(bytes, static_cast<char>('a' + i % 26));
  }
  return values;
}

uint64_t RoomFor(const std::map<std::string, std::string>& values) {
  uint64_t room = 0;
  for (const auto& [key, value] : values) room += LmdbWriter::BytesFor(key, value.size());
  return room;
}

void Put(LmdbWriter& database, const std::string& key, const std::string& value) {
  Result<char*> room = database.Reserve(key, value.size());
  REQUIRE(room.ok());
  std::memcpy(*room, value.data(), value.size());
}

}  // namespace

TEST_CASE("LMDB reads what was written, and the same values give the same bytes") {
  const TestFolder where;
  const std::map<std::string, std::string> values = Values();
  for (const std::string name : {"a.mdb", "b.mdb"}) {
    Result<std::unique_ptr<LmdbWriter>> database = LmdbWriter::Create(where / name, RoomFor(values));
    REQUIRE(database.ok());
    for (const auto& [key, value] : values) Put(**database, key, value);
    REQUIRE((*database)->Finish().ok());
  }
  CHECK(Contents(where / "a.mdb") == values);
  const std::string bytes = TestFolder::Read(where / "a.mdb");
  CHECK(bytes == TestFolder::Read(where / "b.mdb"));
  CHECK(bytes.size() <= RoomFor(values));
}

TEST_CASE("small values need no more room than was said, in any order") {
  const TestFolder where;
  std::map<std::string, std::string> values;
  for (int i = 0; i < 20'000; ++i) values[std::to_string(i * 7919 % 20'000)] = "caption " + std::to_string(i);
  Result<std::unique_ptr<LmdbWriter>> database = LmdbWriter::Create(where / "a.mdb", RoomFor(values));
  REQUIRE(database.ok());
  for (int i = 0; i < 20'000; ++i) {
    const std::string key = std::to_string(i * 7919 % 20'000);
    Put(**database, key, values[key]);
  }
  REQUIRE((*database)->Finish().ok());
  CHECK(Contents(where / "a.mdb") == values);
}

TEST_CASE("keys that are there, too long or empty are refused, and removed ones are gone") {
  const TestFolder where;
  Result<std::unique_ptr<LmdbWriter>> made = LmdbWriter::Create(where / "a.mdb", 1 << 20);
  REQUIRE(made.ok());
  LmdbWriter& database = **made;
  Put(database, "a", "first");
  Put(database, "b", "second");
  CHECK(database.Reserve("a", 3).error().code == Code::kConflict);
  CHECK(database.Reserve("", 3).error().code == Code::kLimitExceeded);
  CHECK(database.Reserve(std::string(512, 'k'), 3).error().code == Code::kLimitExceeded);
  CHECK(database.Reserve("c", uint64_t{1} << 32).error().code == Code::kLimitExceeded);
  CHECK(database.Remove("b").ok());
  REQUIRE(database.Finish().ok());
  CHECK(Contents(where / "a.mdb") == std::map<std::string, std::string>{{"a", "first"}});
}

TEST_CASE("a database that cannot be made is an error that names it") {
  const TestFolder where;
  const Result<std::unique_ptr<LmdbWriter>> none = LmdbWriter::Create(where / "none/a.mdb", 1 << 20);
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().message.find("none/a.mdb") != std::string::npos);
}

TEST_CASE("a database that the disk has no room for is a full disk, under the name that was given") {
  const TestFolder where;
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_FSIZE, &before) == 0);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small = before;
  small.rlim_cur = rlim_t{300} << 10;
  const std::map<std::string, std::string> values = {{"large", std::string(size_t{1} << 20, 'x')}};
  Result<std::unique_ptr<LmdbWriter>> database =
      LmdbWriter::Create(where / ".tmp.mdb", RoomFor(values), "photos/data.mdb");
  REQUIRE(database.ok());
  Put(**database, "large", values.at("large"));
  REQUIRE(::setrlimit(RLIMIT_FSIZE, &small) == 0);
  const Status finished = (*database)->Finish();
  ::setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(finished.ok());
  CHECK(finished.error().code == Code::kDiskFull);
  CHECK(finished.error().message == "photos/data.mdb: File too large");
}
