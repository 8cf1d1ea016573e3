// The table of images beside shards and beside a database: its rows, captions that are odd, reruns.
// bench/peers/table_parity.py has pyarrow, pandas and DuckDB read such a table.
#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "commands/pack/members_list.h"
#include "parquet_texts.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

using Texts = std::vector<std::string>;

void Put(const TestFolder& where, const std::string& sample, const std::string& name) {
  PutSample(where, sample, "in/" + name);
}

}  // namespace

TEST_CASE("beside shards, a table has a row for each image, with the caption that is nearest by its name") {
  const TestFolder where;
  Put(where, "forest.jpg", "a.hq.jpg");     // 320x450
  Put(where, "icon_tiny.png", "a.lq.png");  // 24x24
  Put(where, "clock.jpg", "b.jpg");         // 360x360
  Put(where, "harbour.jpg", "sub/a.jpg");   // 480x320
  where.Write("in/a.txt", "of both");
  where.Write("in/a.hq.txt", "of the large one\n");
  where.Write("in/a.hq.jpg.json", R"({"of":"hq"})");
  where.Write("in/b.json", R"({"of":"b"})");
  const auto pack = [&](const std::string& out) {
    return Run({"pack", where / "in", "-o", where / out, "--group", "prefix", "--shard-samples", "1",
                "--metadata", "parquet", "--json"});
  };
  const nlohmann::json result = Json(pack("out"));
  const std::string table = where / "out/members.parquet";
  CHECK(result["members_table"] == table);
  CHECK(result["members"] == where / "out/members.jsonl");
  CHECK(TextsOf(table, "key") == Texts{"a", "a", "b", "sub/a"});
  CHECK(TextsOf(table, "shard") ==
        Texts{"shard-000000.tar", "shard-000000.tar", "shard-000001.tar", "shard-000002.tar"});
  CHECK(TextsOf(table, "member") == Texts{"a.hq.jpg", "a.lq.png", "b.jpg", "sub/a.jpg"});
  CHECK(TextsOf(table, "source")[3] == where / "in/sub/a.jpg");
  CHECK(TextsOf(table, "caption") == Texts{"of the large one", "of both", "", ""});
  CHECK(TextsOf(table, "json") == Texts{R"({"of":"hq"})", "", R"({"of":"b"})", ""});
  std::vector<std::string> contents;
  std::istringstream lines(TestFolder::Read(where / "out/members.jsonl"));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json sample = nlohmann::json::parse(line);
    for (const nlohmann::json& file : sample["files"]) {
      const std::string member = file["member"];
      if (member.ends_with(".jpg") || member.ends_with(".png")) contents.push_back(file["content"]);
    }
  }
  CHECK(TextsOf(table, "content") == contents);

  const std::string bytes = TestFolder::Read(table);
  std::vector<int64_t> sizes;
  for (const std::string name : {"forest.jpg", "icon_tiny.png", "clock.jpg", "harbour.jpg"})
    sizes.push_back(static_cast<int64_t>(std::filesystem::file_size(SampleData() + "/" + name)));
  for (const std::vector<int64_t>& column :
       {sizes, std::vector<int64_t>{320, 24, 360, 480}, std::vector<int64_t>{450, 24, 360, 320}})
    CHECK(bytes.find(Plain(column)) != std::string::npos);
  // Two captions and two without: a run of each, behind their length.
  CHECK(bytes.find(std::string("\4\0\0\0\4\1\4\0", 8)) != std::string::npos);

  CHECK(Json(pack("out"))["finished_before"] == 3);
  CHECK(TestFolder::Read(table) == bytes);
  pack("again");
  CHECK(TestFolder::Read(where / "again/members.parquet") == bytes);

  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  std::ofstream(table, std::ios::app) << "more";
  const ProcessResult verified = Run({"verify", where / "out"});
  CHECK(verified.exit_code == 4);
  CHECK(verified.out.find("changed  " + table) != std::string::npos);
}

TEST_CASE("captions in a table are UTF-8, without the last line's end, and none if they are no captions") {
  const TestFolder where;
  for (const std::string name : {"a.jpg", "b.jpg", "c.jpg", "d.jpg"}) Put(where, "clock.jpg", name);
  where.Write("in/a.txt", "caf\xE9 au lait\r\n");
  where.Write("in/b.txt", std::string(300'000, 'x'));
  where.Write("in/c.txt", "two\nlines\n\n");
  for (const std::string format : {"tar", "lmdb"}) {
    const std::string out = where / format;
    CHECK(Run({"pack", where / "in", "-o", out, "--format", format, "--metadata", "parquet"}).exit_code == 0);
    CHECK(TextsOf(out + "/members.parquet", "caption") ==
          Texts{"caf\xEF\xBF\xBD au lait", "", "two\nlines\n", ""});
    CHECK(TextsOf(out + "/members.parquet", "shard") ==
          Texts(4, format == "lmdb" ? "data.mdb" : "shard-000000.tar"));
  }
}

TEST_CASE("a table is written where it is asked for, and one that no longer holds is told of") {
  const TestFolder where;
  Put(where, "clock.jpg", "a.jpg");
  const auto pack = [&](const Texts& more) {
    Texts arguments = {"pack", where / "in", "-o", where / "out"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  };
  pack({"--metadata", "parquet", "--dry-run"});
  CHECK_FALSE(TestFolder::Exists(where / "out"));
  CHECK(pack({}).err.find("warning") == std::string::npos);
  CHECK_FALSE(TestFolder::Exists(where / "out/members.parquet"));
  pack({"--metadata", "parquet"});
  const std::string stale = "out/members.parquet is of an earlier run and no longer holds";
  CHECK(pack({"--metadata", "jsonl"}).err.find(stale) != std::string::npos);
  CHECK(pack({"--metadata", "parquet"}).err.find(stale) == std::string::npos);
  CHECK(pack({"--metadata", "csv"}).exit_code == 2);

  where.Write("other/members.parquet", "of somebody else");
  const ProcessResult refused = Run({"pack", where / "in", "-o", where / "other", "--metadata", "parquet"});
  CHECK(refused.exit_code == 3);
  CHECK(TestFolder::Read(where / "other/members.parquet") == "of somebody else");
}

TEST_CASE(
    "a caption that changes behind its sample's back is told of and missing, and the table is written") {
  const TestFolder where;
  PackOptions options;
  options.output = where / "out";
  options.metadata = "parquet";
  const SharedOptions shared;
  const StopFlag stop;
  auto catalog = Catalog::Open(where / "catalog");
  REQUIRE(catalog.ok());
  std::vector<std::string> warnings;
  CommandServices services;
  services.shared = &shared;
  services.catalog = catalog->get();
  services.stop = &stop;
  services.log = [&](LogLevel level, const std::string& line) {
    CHECK(level == LogLevel::kWarning);
    warnings.push_back(line);
  };
  auto opened = MembersList::Create(options, services);
  REQUIRE(opened.ok());
  MembersList& lists = **opened;
  constexpr size_t kImages = 13;
  for (size_t i = 0; i < kImages; ++i) {
    const std::string key = std::string(1, static_cast<char>('a' + i));
    ShardSample sample{key, {}, 1};
    for (const std::string& member : {key + ".jpg", key + ".txt"}) {
      const std::string path = where.Write(member, "as packed");
      sample.files.push_back({path, member, DigestOf(path).value(), 9, member.ends_with(".txt")});
    }
    if (i > 0) where.Write(key + ".txt", "different");
    if (i == 1) std::filesystem::remove(where / "b.txt");
    CHECK(lists.Add("shard-000000.tar", sample));
  }
  CHECK(lists.Commit());
  REQUIRE(warnings.size() == 11);
  CHECK(warnings[0].starts_with(where / "b.txt: its text is missing in members.parquet: no longer readable"));
  CHECK(warnings[1].starts_with(where / "c.txt: its text is missing in members.parquet: it was changed"));
  CHECK(warnings[10] == "the texts of 2 more side-cars are missing in members.parquet, too");
  Texts captions(kImages);
  captions[0] = "as packed";
  CHECK(TextsOf(where / "out/members.parquet", "caption") == captions);
}

}  // namespace imgmill::process_test
