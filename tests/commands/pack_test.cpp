// Shards of images and their side-cars: what belongs together, what a rerun does, what becomes of files that
// change meanwhile. The archives are read by GNU tar.
#include <doctest/doctest.h>
#include <lmdb.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "commands/drawn_picture.h"
#include "commands/pack/lmdb_sample_writer.h"
#include "commands/pack/shard_writer.h"
#include "program.h"
#include "shard_members.h"

namespace imgmill::process_test {
namespace {

std::string MemberOf(const std::string& shard, const std::string& name) {
  return Process({"/bin/tar", "-xOf", shard, name}, {}).Wait().out;
}

using Names = std::vector<std::string>;

/// By LMDB's own library.
Result<uint64_t> CountEntries(const std::string& database) {
  MDB_env* env = nullptr;
  MDB_stat stat{};
  int code = ::mdb_env_create(&env);
  if (code == 0) code = ::mdb_env_open(env, database.c_str(), MDB_NOSUBDIR | MDB_RDONLY | MDB_NOLOCK, 0);
  if (code == 0) code = ::mdb_env_stat(env, &stat);
  ::mdb_env_close(env);
  if (code != 0) return Error{Stage::kDecode, Code::kMalformed, ::mdb_strerror(code)};
  return uint64_t{stat.ms_entries};
}

/// A folder with samples of one, two and three files.
void MakeInput(const TestFolder& where) {
  std::filesystem::create_directories(where / "in/sub");
  const auto put = [&](const std::string& sample, const std::string& name) {
    std::filesystem::copy_file(SampleData() + "/" + sample, where / ("in/" + name));
  };
  put("clock.jpg", "b.jpg");
  put("forest.jpg", "a.hq.jpg");
  put("icon_tiny.png", "a.lq.png");
  put("meadow.jpg", "a-b.jpg");
  put("harbour.jpg", "sub/a.jpg");
  where.Write("in/a.txt", "caption of a");
  where.Write("in/a.hq.jpg.json", "{}");
  where.Write("in/b.json", R"({"of":"b"})");
  where.Write("in/b.npz", "not asked for");
  where.Write("in/sub/alone.txt", "beside no image");
}

}  // namespace

TEST_CASE("the key of a sample is that of webdataset") {
  // By hand, from its pattern: ^((?:.*/|)[^.]+)[.]([^/]*)$
  CHECK(SampleKey("a.jpg") == "a");
  CHECK(SampleKey("a.seg.png") == "a");
  CHECK(SampleKey("in.v2/a.b/c.d.jpg") == "in.v2/a.b/c");
  CHECK_FALSE(SampleKey("in.v2/noext").has_value());
  CHECK_FALSE(SampleKey("in/.hidden.jpg").has_value());
}

TEST_CASE("each image is a sample of its own, also where names have dots or differ by their endings only") {
  const auto member = [](const std::string& relative, NameClash clash, const std::string& file) {
    ListedFile image;
    image.relative = relative;
    image.clash = clash;
    return MemberOfImage(image, file);
  };
  CHECK(member("in/a.jpg", NameClash::kNone, "/x/in/a.jpg") == "in/a.jpg");
  CHECK(member("in/a.jpg", NameClash::kNone, "/x/in/a.txt") == "in/a.txt");
  CHECK(member("in/a.jpg", NameClash::kNone, "/x/in/a.jpg.txt") == "in/a.jpg.txt");
  CHECK(member("v1.2/2026.01.02.jpg", NameClash::kNone, "2026.01.02.jpg") == "v1.2/2026%2E01%2E02.jpg");
  CHECK(member("v1.2/2026.01.02.jpg", NameClash::kNone, "2026.01.02.txt") == "v1.2/2026%2E01%2E02.txt");
  CHECK(member("a.jpg", NameClash::kStem, "a.jpg") == "a%2Fjpg.jpg");
  CHECK(member("a.jpg", NameClash::kStem, "a.txt") == "a%2Fjpg.txt");

  // What is written out elsewhere for others.
  CHECK(member("a%2Eb.jpg", NameClash::kNone, "a%2Eb.jpg") == "a%252Eb.jpg");
  CHECK(member("a.jpg.png", NameClash::kNone, "a.jpg.png") == "a%2Ejpg.png");
  CHECK(member("a%2Fjpg.png", NameClash::kNone, "a%2Fjpg.png") == "a%252Fjpg.png");

  const TestFolder where;
  std::filesystem::create_directories(where / "in");
  for (const std::string name : {"2026.01.02.jpg", "2026.01.03.jpg", "both.jpg", "both.JPG"})
    std::filesystem::copy_file(SampleData() + "/clock.jpg", where / ("in/" + name));
  where.Write("in/both.txt", "of both");
  where.Write("in/2026.01.02.txt", "of one");
  const nlohmann::json result = Json(Run({"pack", where / "in", "-o", where / "out", "--json"}));
  CHECK(result["samples"] == 4);
  CHECK(MembersOf(where / "out/shard-000000.tar") ==
        Names{"2026%2E01%2E02.jpg", "2026%2E01%2E02.txt", "2026%2E01%2E03.jpg", "both%2FJPG.JPG",
              "both%2FJPG.txt", "both%2Fjpg.jpg", "both%2Fjpg.txt"});
}

TEST_CASE("a folder that is listed amid the images of a sample does not part them") {
  const TestFolder where;
  std::filesystem::create_directories(where / "in/a.foo/x.y");
  for (const std::string name :
       {"a.1.png", "a.foo/x.1.png", "a.foo/x.y/z.png", "a.foo/x.png", "a.png", "b.png"})
    std::filesystem::copy_file(SampleData() + "/icon_tiny.png", where / ("in/" + name));
  const nlohmann::json result = Json(Run(
      {"pack", where / "in", "-o", where / "out", "--group", "prefix", "--shard-samples", "1", "--json"}));
  CHECK(result["samples"] == 4);
  const auto shard = [&](int number) {
    return MembersOf(where / ("out/shard-00000" + std::to_string(number) + ".tar"));
  };
  // What is in a folder comes first, as its samples end first.
  CHECK(shard(0) == Names{"a.foo/x.y/z.png"});
  CHECK(shard(1) == Names{"a.foo/x.1.png", "a.foo/x.png"});
  CHECK(shard(2) == Names{"a.1.png", "a.png"});
  CHECK(shard(3) == Names{"b.png"});
}

TEST_CASE("by prefix, files of one key are a sample, with captions and JSON, in order and in one shard") {
  const TestFolder where;
  MakeInput(where);
  const ProcessResult run =
      Run({"pack", where / "in", "-o", where / "out", "--shard-samples", "2", "--group", "prefix", "--json"});
  CHECK(run.exit_code == 0);
  const nlohmann::json result = Json(run);
  CHECK(result["shards"] == 2);
  CHECK(result["samples"] == 4);
  CHECK(result["files"] == 8);
  const std::string first = where / "out/shard-000000.tar", second = where / "out/shard-000001.tar";
  CHECK(MembersOf(first) == Names{"a-b.jpg", "a.hq.jpg", "a.hq.jpg.json", "a.lq.png", "a.txt"});
  CHECK(MembersOf(second) == Names{"b.jpg", "b.json", "sub/a.jpg"});
  CHECK(MemberOf(first, "a.txt") == "caption of a");
  CHECK(MemberOf(second, "b.jpg") == TestFolder::Read(SampleData() + "/clock.jpg"));

  const nlohmann::json index = JsonFile(where / "out/index.json");
  CHECK(index["wids_version"] == 1);
  REQUIRE(index["shardlist"].size() == 2);
  for (const auto& shard : index["shardlist"]) {
    CHECK(shard["nsamples"] == 2);
    CHECK(shard["filesize"] == std::filesystem::file_size(where / ("out/" + std::string(shard["url"]))));
  }
  std::istringstream lines(TestFolder::Read(where / "out/members.jsonl"));
  Names keys;
  for (std::string line; std::getline(lines, line);) keys.push_back(nlohmann::json::parse(line)["key"]);
  CHECK(keys == Names{"a-b", "a", "b", "sub/a"});
  CHECK(Run({"verify", where / "out", "--sources"}).exit_code == 0);
  CHECK(Run({"explain", first}).out.find("from     several files\n") != std::string::npos);
}

TEST_CASE("partners are members of their image's sample, and an image without one fails") {
  const TestFolder where;
  for (const std::string name : {"HQ/sub/1.v2.png", "HQ/2.png", "HQ/3.png", "x2/sub/1.v2.jpg", "x2/2.png",
                                 "x2/3.png", "x4/sub/1.v2.png", "x4/2.png", "x4/4.png"}) {
    std::filesystem::create_directories(std::filesystem::path(where / name).parent_path());
    std::filesystem::copy_file(SampleData() + (name.ends_with(".jpg") ? "/clock.jpg" : "/icon_tiny.png"),
                               where / name);
  }
  where.Write("HQ/2.txt", "caption");
  const ProcessResult run = Run(
      {"pack", where / "HQ", "--pair", where / "x2/", "--pair", where / "x4", "-o", where / "out", "--json"});
  CHECK(run.exit_code == 1);
  CHECK(Json(run)["failed"].size() == 2);  // 3 has no x4, and 4 no image
  CHECK(MembersOf(where / "out/shard-000000.tar") == Names{"2.png", "2.txt", "2.x2.png", "2.x4.png",
                                                           "sub/1%2Ev2.png", "sub/1%2Ev2.x2.jpg",
                                                           "sub/1%2Ev2.x4.png"});
  REQUIRE(Run({"pack", where / "HQ", "--pair", where / "x2/", "--pair", where / "x4", "-o", where / "out",
               "--dry-run", "--report", where / "report.json"})
              .exit_code == 1);
  const nlohmann::json again = JsonFile(where / "report.json");
  CHECK(again["done"] == 2);
  CHECK(again["recalled"] == 2);  // partners are not counted
}

TEST_CASE("a sample of names that readers cannot tell apart is left out, and told of") {
  // webdataset lowers endings, and ends with an error at the second file of one.
  const TestFolder where;
  std::filesystem::create_directories(where / "in");
  for (const std::string name : {"a.jpg", "a.JPG", "b.jpg"})
    std::filesystem::copy_file(SampleData() + "/clock.jpg", where / ("in/" + name));
  const ProcessResult run = Run({"pack", where / "in", "-o", where / "out", "--group", "prefix", "--json"});
  CHECK(run.exit_code == 1);
  CHECK(run.err.find("a.JPG and a.jpg differ only in case") != std::string::npos);
  const nlohmann::json told = Json(run);
  CHECK(told["samples_left_out"] == 1);
  CHECK(MembersOf(where / "out/shard-000000.tar") == Names{"b.jpg"});
  // Both images of the sample are not in it.
  CHECK(told["listed"] == 3);
  CHECK(told["done"] == 1);
  REQUIRE(told["failed"].size() == 2);
  CHECK(told["failed"][0]["path"] == where / "in/a.JPG");
  CHECK(told["failed"][1]["path"] == where / "in/a.jpg");
  CHECK(run.err.find("3 images: 1 done, 2 failed") != std::string::npos);
}

TEST_CASE("two files that would get one name are both named, and their sample is left out") {
  const TestFolder where;
  for (const std::string name : {"a/x.jpg", "folder/x.jpg", "folder/y.jpg"}) {
    std::filesystem::create_directories(std::filesystem::path(where / name).parent_path());
    std::filesystem::copy_file(SampleData() + "/clock.jpg", where / name);
  }
  const ProcessResult run = Run({"pack", where / "a/x.jpg", where / "folder", "-o", where / "out", "--json"});
  CHECK(run.exit_code == 1);
  CHECK(run.err.find((where / "a/x.jpg") + " and " + (where / "folder/x.jpg") +
                     " would both be called x.jpg: rename one; its sample is left out") != std::string::npos);
  CHECK(MembersOf(where / "out/shard-000000.tar") == Names{"y.jpg"});
}

TEST_CASE("the same input gives the same shards elsewhere, and a rerun writes only what has changed") {
  const TestFolder where;
  MakeInput(where);
  const auto pack = [&](const std::string& out) {
    return Json(Run(
        {"pack", where / "in", "-o", where / out, "--shard-samples", "2", "--group", "prefix", "--json"}));
  };
  pack("out");
  pack("again");
  for (const std::string name : {"shard-000000.tar", "shard-000001.tar", "index.json"})
    CHECK(TestFolder::Read(where / ("out/" + name)) == TestFolder::Read(where / ("again/" + name)));
  const auto written = std::filesystem::last_write_time(where / "out/shard-000000.tar");
  CHECK(pack("out")["finished_before"] == 2);

  where.Write("in/sub/a.txt", "a caption, later");
  CHECK(pack("out")["finished_before"] == 1);
  CHECK(std::filesystem::last_write_time(where / "out/shard-000000.tar") == written);
  CHECK(MembersOf(where / "out/shard-000001.tar") == Names{"b.jpg", "b.json", "sub/a.jpg", "sub/a.txt"});
}

TEST_CASE("a shard ends before it is too large, and a sample larger than that has one to itself") {
  const TestFolder where;
  MakeInput(where);
  // By hand: b.jpg of 32,843 bytes takes 512 + 33,280, its JSON 1,024, and the end 1,024.
  const nlohmann::json result = Json(Run(
      {"pack", where / "in", "-o", where / "out", "--include", "b.jpg", "--shard-size", "36000B", "--json"}));
  CHECK(result["bytes"] == 512 + 33'280 + 1'024 + 1'024);
  const nlohmann::json all =
      Json(Run({"pack", where / "in", "-o", where / "small", "--shard-size", "10KiB", "--json"}));
  CHECK(all["shards"] == 5);
  for (const auto& shard : JsonFile(where / "small/index.json")["shardlist"]) CHECK(shard["nsamples"] == 1);
}

TEST_CASE("images that are none, or that no reader would find, fail, and the rest is packed") {
  const TestFolder where;
  MakeInput(where);
  where.Write("in/broken.jpg", "no image");
  std::filesystem::copy_file(SampleData() + "/clock.jpg", where / "in/noextension");
  const ProcessResult run = Run({"pack", where / "in", "-o", where / "out", "--json", "--sidecars", "none"});
  CHECK(run.exit_code == 1);
  const nlohmann::json result = Json(run);
  CHECK(result["failed"].size() == 2);
  CHECK(result["files"] == 5);
  CHECK(run.err.find("noextension: cannot write: its name has no extension") != std::string::npos);
}

TEST_CASE("a file that is not what it was leaves its sample out of the shard, and no other") {
  const TestFolder where;
  MakeInput(where);
  PackOptions options;
  options.output = where / "out";
  SharedOptions shared;
  const StopFlag stop;
  auto catalog = Catalog::Open(where / "catalog");
  REQUIRE(catalog.ok());
  CommandServices services;
  services.shared = &shared;
  services.catalog = catalog->get();
  services.stop = &stop;
  std::vector<std::string> lost;
  const auto lose = [&](const ShardSample& sample, const std::string& path, const Error& error) {
    lost.push_back(sample.key + " " + path.substr(where.path().size()) + ": " + error.message);
  };
  auto opened = ShardWriter::Open(options, services, lose);
  REQUIRE(opened.ok());
  ShardWriter& shards = **opened;
  PackOptions of_database;
  of_database.output = where / "out.lmdb";
  auto opened_database = LmdbSampleWriter::Open(of_database, services, lose);
  REQUIRE(opened_database.ok());
  LmdbSampleWriter& database = **opened_database;
  const auto file = [&](const std::string& name, int more_bytes = 0) {
    const std::string path = where / ("in/" + name);
    const Result<ContentDigest> content = DigestOf(path);
    REQUIRE(content.ok());
    return PackedFile{
        path, name, *content,
        static_cast<uint64_t>(static_cast<int64_t>(std::filesystem::file_size(path)) + more_bytes)};
  };
  PackedFile changed = file("b.json"), gone = file("a-b.jpg");
  changed.content.bytes[3] ^= 1;
  gone.path += ".gone";
  changed.sidecar = true;
  PackedFile caption = file("a.txt");
  caption.sidecar = true;
  for (SampleWriter* writer : {static_cast<SampleWriter*>(&shards), static_cast<SampleWriter*>(&database)}) {
    lost.clear();
    REQUIRE(writer->Add({"a", {file("a.hq.jpg"), caption}}).ok());
    REQUIRE(writer->Add({"a-b", {gone}}).ok());
    REQUIRE(writer->Add({"b", {file("b.jpg"), changed}}).ok());
    REQUIRE(writer->Add({"shorter", {file("a.lq.png", 1)}}).ok());
    REQUIRE(writer->Add({"sub/a", {file("sub/a.jpg")}}).ok());
    REQUIRE(writer->Finish().ok());
    CHECK(lost == Names{"a-b /in/a-b.jpg.gone: no longer readable: No such file or directory",
                        "b /in/b.json: it was changed while it was packed: run again",
                        "shorter /in/a.lq.png: it was changed while it was packed: run again"});
    CHECK(writer->totals().samples == 2);
    CHECK(writer->totals().images == 2);
  }
  const std::string lines = TestFolder::Read(where / "out.lmdb/meta_info.txt");
  CHECK(std::count(lines.begin(), lines.end(), '\n') == 2);
  const Result<uint64_t> entries = CountEntries(where / "out.lmdb/data.mdb");
  REQUIRE(entries.ok());
  CHECK(*entries == 3);  // a, a.txt and sub/a: nothing of b is left
  CHECK(MembersOf(where / "out/shard-000000.tar") == Names{"a.hq.jpg", "a.txt", "sub/a.jpg"});
  CHECK(MemberOf(where / "out/shard-000000.tar", "sub/a.jpg") ==
        TestFolder::Read(SampleData() + "/harbour.jpg"));
  CHECK(std::filesystem::file_size(where / "out/shard-000000.tar") == shards.totals().bytes);
}

TEST_CASE("a database has each image under its key, and is not written again") {
  const TestFolder where;
  MakeInput(where);
  const std::vector<std::string> pack = {"pack",     where / "in", "-o",    where / "out.lmdb",
                                         "--format", "lmdb",       "--json"};
  const nlohmann::json first = Json(Run(pack));
  CHECK(first["samples"] == 5);
  CHECK(first["files"] == 7);
  // Sizes by hand, from `file` on the pictures.
  CHECK(TestFolder::Read(where / "out.lmdb/meta_info.txt") ==
        "a-b.jpg (320,440,3) 1\na%2Ehq.jpg (450,320,3) 1\na%2Elq.png (24,24,3) 1\nb.jpg (360,360,3) 1\n"
        "sub/a.jpg (320,480,3) 1\n");
  const auto written = std::filesystem::last_write_time(where / "out.lmdb/data.mdb");
  CHECK(Json(Run(pack))["finished_before"] == 1);
  CHECK(std::filesystem::last_write_time(where / "out.lmdb/data.mdb") == written);
  where.Write("in/sub/a.txt", "a caption, later");
  const nlohmann::json more = Json(Run(pack));
  CHECK(more["finished_before"] == 0);
  CHECK(more["files"] == 8);
  CHECK(Run({"verify", where / "out.lmdb"}).exit_code == 0);
}

TEST_CASE("names that a database or its list cannot take leave their samples out, in a dry run, too") {
  const TestFolder where;
  const std::string deep = "in/" + std::string(250, 'd') + "/" + std::string(250, 'e');
  std::filesystem::create_directories(where / deep);
  // By hand: keys of 511 bytes, and of 512.
  const std::string fits = deep + "/" + std::string(9, 'f') + ".jpg", longer = deep + "/0123456789.jpg";
  for (const std::string& name :
       {fits, longer, std::string("in/two\nlines.jpg"), std::string("in/Caf\xE9.jpg"),
        std::string("in/Caf\u00E9 a\\b.jpg"), std::string("in/with caption.jpg")})
    std::filesystem::copy_file(SampleData() + "/clock.jpg", where / name);
  where.Write("in/with caption.txt", "");
  for (const bool dry : {true, false}) {
    CAPTURE(dry);
    std::vector<std::string> pack = {"pack",     where / "in", "-o",    where / "out.lmdb",
                                     "--format", "lmdb",       "--json"};
    if (dry) pack.emplace_back("--dry-run");
    const ProcessResult run = Run(pack);
    INFO(run.err);
    CHECK(run.exit_code == 1);
    const nlohmann::json result = Json(run);
    CHECK(result["samples"] == 3);
    CHECK(result["samples_left_out"] == 3);
    CHECK(result["listed"] == 6);
    CHECK(result["done"] == 3);
    CHECK(!result.contains("action_failures"));
    REQUIRE(result["failed"].size() == 3);
    CHECK(result["failed"][0]["code"] == "unsupported");  // Caf\xE9.jpg
    CHECK(result["failed"][1]["code"] == "limit_exceeded");
    CHECK(result["failed"][1]["path"] == where / longer);
    CHECK(result["failed"][2]["code"] == "unsupported");
    CHECK(run.err.find("; 3 samples left out") != std::string::npos);
  }
  CHECK(TestFolder::Read(where / "out.lmdb/meta_info.txt") ==
        "Caf\u00E9 a\\b.jpg (360,360,3) 1\n" + fits.substr(3) +
            " (360,360,3) 1\nwith caption.jpg (360,360,3) 1\n");
  CHECK(CountEntries(where / "out.lmdb/data.mdb").value() == 4);
  // What was left out is no reason to write it again.
  CHECK(Json(Run({"pack", where / "in", "-o", where / "out.lmdb", "--format", "lmdb",
                  "--json"}))["finished_before"] == 1);
}

TEST_CASE("shards that an earlier run left over are told of, and files of others are not replaced") {
  const TestFolder where;
  MakeInput(where);
  const std::vector<std::string> pack = {"pack", where / "in", "-o", where / "out"};
  std::vector<std::string> small = pack;
  small.insert(small.end(), {"--shard-samples", "1"});
  CHECK(Run(small).exit_code == 0);
  const ProcessResult fewer = Run(pack);
  CHECK(fewer.exit_code == 0);
  CHECK(
      fewer.err.find("has 4 shards of an earlier run that are no part of this one, from shard-000001.tar") !=
      std::string::npos);

  const ProcessResult renamed =
      Run({"pack", where / "in", "-o", where / "out", "--prefix", "train", "--shard-samples", "3"});
  CHECK(renamed.err.find(
            "has 5 shards of an earlier run that are no part of this one, from shard-000000.tar") !=
        std::string::npos);

  where.Write("other/index.json", "somebody's");
  const ProcessResult refused = Run({"pack", where / "in", "-o", where / "other"});
  CHECK(refused.exit_code != 0);
  CHECK(TestFolder::Read(where / "other/index.json") == "somebody's");
  CHECK_FALSE(TestFolder::Exists(where / "other/shard-000000.tar"));
}

TEST_CASE("shards and a database do not go into one folder, unless that is asked for") {
  const TestFolder where;
  MakeInput(where);
  const auto pack = [&](const std::string& out, const std::string& format, bool force = false) {
    std::vector<std::string> command = {"pack", where / "in", "-o", where / out, "--format", format};
    if (force) command.emplace_back("--force");
    return Run(command);
  };
  for (const auto& [first, second, told] :
       {std::array{"tar", "lmdb", "index.json exists already: the folder has shards"},
        std::array{"lmdb", "tar", "data.mdb exists already: the folder has a database"}}) {
    const std::string out = std::string("first_") + first;
    CHECK(pack(out, first).exit_code == 0);
    const FolderBytes before = ReadFolder(where / out);
    const ProcessResult refused = pack(out, second);
    CHECK(refused.exit_code == 3);
    CHECK(refused.err.find(told) != std::string::npos);
    CHECK(Difference(before, ReadFolder(where / out)) == "");
    CHECK(pack(out, second, true).exit_code == 0);
    CHECK(TestFolder::Exists(where / out + "/data.mdb"));
    CHECK(TestFolder::Exists(where / out + "/index.json"));
  }
}

TEST_CASE("a dry run says what would be packed, and writes nothing") {
  const TestFolder where;
  MakeInput(where);
  const ProcessResult run = Run({"pack", where / "in", "-o", where / "out", "--dry-run", "--no-catalog"});
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("dry run: 5 samples of 5 images and 2 side-cars would be in 1 shard") !=
        std::string::npos);
  CHECK_FALSE(TestFolder::Exists(where / "out/shard-000000.tar"));
}

TEST_CASE("as the last step of a pipeline, what the steps before it wrote is packed") {
  const TestFolder where;
  CopySamples(where / "photos");
  const std::string file = where.Write("pipeline.yaml",
                                       "input: photos\noutput: out\nsteps:\n"
                                       "  - tile:\n      size: 128\n"
                                       "  - pack:\n      shard-samples: 20\n");
  const ProcessResult run = Run({"run", file});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  const Names members = MembersOf(where / "out/pack/shard-000000.tar");
  CHECK(members.size() == 20);
  for (const std::string& name : members) CHECK(std::count(name.begin(), name.end(), '.') == 1);

  CHECK(Run({"verify", where / "out"}).exit_code == 0);
  std::ofstream(where / "out/pack/shard-000000.tar", std::ios::app) << "more";
  std::filesystem::remove(where / "out/pack/index.json");
  const ProcessResult verified = Run({"verify", where / "out"});
  CHECK(verified.exit_code == 4);
  CHECK(verified.out.find("changed  " + where / "out/pack/shard-000000.tar") != std::string::npos);
  CHECK(verified.out.find("missing  ") != std::string::npos);
}

TEST_CASE("a pipeline cuts pairs and packs them: the folders of the tiles need not be there before") {
  const TestFolder where;
  const auto draw = [&](const std::string& name, int64_t size) {
    WritePicture(where / name, Draw(size, size, 1, [size](int64_t x, int64_t y, int) {
                   return static_cast<double>(x * 200 / size + y * 50 / size);
                 }));
  };
  for (const std::string name : {"1.png", "sub/2.png"}) {
    draw("HQ/" + name, 256);
    draw("x2/" + name, 128);
    draw("x4/" + name, 64);
  }
  const std::string file =
      where.Write("pipeline.yaml", "input: " + (where / "HQ") + "\noutput: " + (where / "out") +
                                       "\nsteps:\n  - tile: {size: 128, pair: [" + (where / "x2") + ", " +
                                       (where / "x4") + "]}\n  - pack: {pair: [" + (where / "out/tile/x2") +
                                       ", " + (where / "out/tile/x4") + "]}\n");
  const ProcessResult ahead = Run({"run", file, "--dry-run"});
  INFO(ahead.err);
  CHECK(ahead.exit_code == 0);
  const ProcessResult run = Run({"run", file});
  INFO(run.err);
  CHECK(run.exit_code == 0);
  const Names members = MembersOf(where / "out/pack/shard-000000.tar");
  CHECK(members.size() == 2 * 4 * 3);
  CHECK(std::count(members.begin(), members.end(), "HQ/sub/2_00128_00000.x4.png") == 1);
  CHECK(run.err.find("failed") == run.err.find("0 failed") + 2);
}

}  // namespace imgmill::process_test
