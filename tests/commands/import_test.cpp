// embed --import as a user runs it: files of each kind, what is wrong with them, and what match and dedup
// make of it.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// NumPy's format 1.0, by its documentation.
std::string Npy(const std::vector<std::vector<float>>& rows) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (" + std::to_string(rows.size()) +
                       ", " + std::to_string(rows.front().size()) + "), }";
  header.resize(118 - 1, ' ');
  std::string bytes = std::string("\x93NUMPY\x01\x00\x76\x00", 10) + header + "\n";
  for (const std::vector<float>& row : rows)
    bytes.append(reinterpret_cast<const char*>(row.data()), row.size() * sizeof(float));
  return bytes;
}

/// Floats behind the header.
std::vector<float> Floats(const std::string& npy) {
  std::vector<float> floats((npy.size() - 128) / sizeof(float));
  std::memcpy(floats.data(), npy.data() + 128, floats.size() * sizeof(float));
  return floats;
}

/// Three pictures, and a table of vectors for them.
struct Pictures {
  TestFolder where;
  std::string a = where / "in/a.png", b = where / "in/b.png", c = where / "in/c.png";

  Pictures() {
    where.Write("in/a.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
    where.Write("in/b.png", TestFolder::Read(SampleData() + "/badge_alpha.png"));
    where.Write("in/c.png", TestFolder::Read(SampleData() + "/balloons.png"));
  }
  void Write(const std::vector<std::vector<float>>& rows, const std::vector<std::string>& names) {
    where.Write("v.npy", Npy(rows));
    std::string lines;
    for (const std::string& name : names) lines += name + "\n";
    where.Write("v.paths.txt", lines);
  }
  ProcessResult Import(const std::vector<std::string>& more = {}, const std::string& name = "mine") {
    std::vector<std::string> command = {"embed",         where / "in",   "--import",
                                        where / "v.npy", "--model-name", name};
    command.insert(command.end(), more.begin(), more.end());
    return Run(command);
  }
};

}  // namespace

TEST_CASE("what embed exports is imported again, from each kind of file") {
  const TestFolder where;
  CopySamples(where / "photos");
  for (const std::string name : {"v.npy", "v.parquet", "clip/"}) {
    CHECK(Run({"embed", where / "photos", "--export", where / name}).exit_code == 0);
  }
  const std::string expected = TestFolder::Read(where / "v.npy");
  for (const std::string name : {"v.npy", "v.parquet", "clip/"}) {
    CAPTURE(name);
    const std::vector<std::string> command = {"embed",      where / "photos",  "--import",
                                              where / name, "--model-name",    "from " + name,
                                              "--export",   where / "back.npy"};
    const ProcessResult imported = Run(command);
    INFO(imported.err);
    CHECK(imported.exit_code == 0);
    const std::string back = TestFolder::Read(where / "back.npy");
    REQUIRE(back.size() == expected.size());
    if (name != "clip/") {
      CHECK(back == expected);
    } else {  // half precision: 11 bits
      const std::vector<float> exact = Floats(expected), rounded = Floats(back);
      for (size_t i = 0; i < exact.size(); ++i) CHECK(std::fabs(exact[i] - rounded[i]) <= 0x1p-11F);
    }
    CHECK(Has(Run(command).err, "30 vectors of 512, 30 known before"));
  }
}

TEST_CASE("match and dedup work with imported vectors, under their name only") {
  Pictures pictures;
  pictures.Write({{3, 0, 0}, {0.6F, 0.8F, 0}, {0.8F, 0.6F, 0}}, {pictures.a, pictures.b, pictures.c});
  CHECK(pictures.Import().exit_code == 0);
  // By hand: cosines with (1, 0, 0), of the sum 0.48 + 0.48 between the last two.
  const ProcessResult found = Run({"match", pictures.a, "--in", pictures.where / "in", "--model-name", "mine",
                                   "--exclude-self", "--format", "csv"});
  CHECK(found.out == "query,rank,similarity,path\r\n\"" + pictures.a + "\",1,0.800000,\"" + pictures.c +
                         "\"\r\n\"" + pictures.a + "\",2,0.600000,\"" + pictures.b + "\"\r\n");
  const ProcessResult groups = Run({"dedup", pictures.where / "in", "--method", "embedding", "--model-name",
                                    "mine", "--min-similarity", "0.95"});
  CHECK(Has(groups.out, "distance 0.04"));
  CHECK(Has(groups.err, "1 group, 1 duplicate"));

  const ProcessResult other =
      Run({"match", pictures.a, "--in", pictures.where / "in", "--model-name", "theirs"});
  CHECK(other.exit_code == 2);
  CHECK(
      Has(other.err, "no vectors of the kind \"imported/1 theirs\", but of \"imported/1 mine\" (3 numbers"));
  CHECK(Has(other.err, "the catalog "));
  const ProcessResult unknown =
      Run({"match", SampleData() + "/clock.jpg", "--in", pictures.where / "in", "--model-name", "mine"});
  CHECK(unknown.exit_code == 1);
  CHECK(Has(unknown.err, "no vector was imported for it under the name \"mine\""));
}

TEST_CASE("vectors that say nothing fail their image and no other, and say which row it is") {
  Pictures pictures;
  pictures.Write({{1, NAN, 0}, {0, 0, 0}, {0, 1, 0}}, {pictures.a, pictures.b, pictures.c});
  const ProcessResult result = pictures.Import();
  CHECK(result.exit_code == 1);
  CHECK(Has(result.err, "a.png: cannot compute: its vector in " + (pictures.where / "v.npy") +
                            " (row 0, counted from 0) has a value that is infinite or not a number"));
  CHECK(Has(result.err, "(row 1, counted from 0) is zero"));
  CHECK(Has(result.err, "3 images: 1 done, 2 failed"));
}

TEST_CASE("a table of which no row can be used says why, and rows without a path are told by their number") {
  Pictures pictures;
  std::string wide = Npy({{1, 0, 0, 0}});
  const double far[] = {1e300, 0};  // beyond a float
  wide.replace(wide.find("<f4"), 3, "<f8").replace(wide.find("(1, 4)"), 6, "(1, 2)");
  std::memcpy(wide.data() + 128, far, sizeof far);
  pictures.where.Write("v.npy", wide);
  pictures.where.Write("v.paths.txt", pictures.a + "\n");
  CHECK(Has(pictures.Import().err,
            "that of row 0, counted from 0, has a value that is infinite or not a number, or"));
  pictures.Write({{1, 0, 0}, {0, 1, 0}}, {pictures.a, ""});
  CHECK(Has(pictures.Import().err, "not there, the first of row 1, which has no path"));
}

TEST_CASE("a catalog of many kinds of vectors names a few of them") {
  Pictures pictures;
  pictures.Write({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {pictures.a, pictures.b, pictures.c});
  for (const char* name : {"one", "two", "three", "four", "five"})
    REQUIRE(pictures.Import({}, name).exit_code == 0);
  const ProcessResult other = Run({"match", pictures.a, "--in", pictures.where / "in"});
  CHECK(other.exit_code == 2);
  CHECK(Has(other.err, "and of 2 more kinds (imgmill catalog info"));
}

TEST_CASE("names saved by an editor of another system are the same names") {
  Pictures pictures;
  pictures.Write({{1, 0}, {0, 1}}, {pictures.a, pictures.b});
  const std::vector<std::string> command = {"--export", pictures.where / "back.npy"};
  // A byte order mark in front, Windows line ends, an empty line at the end.
  pictures.where.Write("v.paths.txt", "\xEF\xBB\xBF" + pictures.a + "\r\n" + pictures.b + "\r\n\r\n");
  fs::remove(pictures.c);
  const ProcessResult imported = pictures.Import(command);
  INFO(imported.err);
  CHECK(imported.exit_code == 0);
  CHECK(Has(imported.err, "2 vectors of 2"));
  CHECK(TestFolder::Read(pictures.where / "back.npy") == Npy({{1, 0}, {0, 1}}));
  pictures.where.Write("v.paths.txt", std::string("\xFF\xFE\x2F\x00", 4));
  CHECK(Has(pictures.Import().err, "v.paths.txt is in UTF-16 (save it as UTF-8)"));
}

TEST_CASE("images without a row fail, rows without a file are counted") {
  Pictures pictures;
  pictures.Write({{1, 0}, {0, 1}, {1, 1}}, {pictures.a, "gone.png", SampleData() + "/clock.jpg"});
  const ProcessResult result = pictures.Import();
  CHECK(result.exit_code == 1);
  CHECK(Has(result.err, "v.npy has no vector for it"));
  CHECK(Has(result.err, "1 of 3 rows are of files that are not there, the first of gone.png"));
  CHECK(Has(result.err, "1 vector of 2, 1 other row not used"));
}

TEST_CASE("paths begin at --import-base, in any of the files' ways to write them") {
  Pictures pictures;
  pictures.Write({{1, 0}, {0, 1}, {1, 1}}, {"a.png", "./b.png", "../in/c.png"});
  const ProcessResult nowhere = pictures.Import();
  CHECK(nowhere.exit_code == 2);
  CHECK(Has(nowhere.err, "none of the images that " + (pictures.where / "v.npy") +
                             " names is there (the first: a.png): say with --import-base"));
  CHECK(pictures.Import({"--import-base", pictures.where / "in"}).exit_code == 0);
}

TEST_CASE("a table that contradicts itself, or the catalog, is refused as a whole") {
  Pictures pictures;
  pictures.Write({{1, 0}, {0, 1}}, {pictures.a});
  const ProcessResult fewer = pictures.Import();
  CHECK(fewer.exit_code == 2);
  CHECK(
      Has(fewer.err, "v.paths.txt: it names 1 image, and " + (pictures.where / "v.npy") + " has 2 vectors"));

  pictures.Write({{1, 0}, {0, 1}, {1, 0}}, {pictures.a, pictures.b, pictures.a});
  CHECK(pictures.Import().exit_code == 1);  // twice the same is no contradiction; c.png has none
  pictures.Write({{1, 0}, {0, 1}, {1, 1}}, {pictures.a, pictures.b, pictures.a});
  const ProcessResult twice = pictures.Import();
  CHECK(twice.exit_code == 2);
  CHECK(Has(twice.err, "its rows 0 and 2, counted from 0, are of one image and differ"));

  pictures.Write({{1, 0, 0}}, {pictures.a});
  const ProcessResult longer = pictures.Import();
  CHECK(longer.exit_code == 2);
  CHECK(Has(longer.err, "has vectors of 3 numbers, and those that the catalog has under \"mine\" have 2"));
  CHECK(pictures.Import({}, "others").exit_code == 1);

  // tests/golden/make_table_golden.py: three names, each with several vectors.
  for (const std::string name : {"a.jpg", "b b.jpg", "\u00fc.jpg"})
    pictures.where.Write("golden/" + name, TestFolder::Read(SampleData() + "/icon_tiny.png"));
  const std::string golden = std::string(IMGMILL_SOURCE_DIR) + "/tests/golden/tables/";
  const auto import = [&](const std::string& file) {
    return Run({"embed", pictures.where / "golden", "--import", golden + file, "--model-name", "golden",
                "--import-base", pictures.where / "golden"});
  };
  CHECK(Has(import("duckdb.parquet").err, "are of one image and differ"));
  CHECK(import("lz4.parquet").exit_code == 3);
  CHECK(Has(import("delta.parquet").err, "DELTA_LENGTH_BYTE_ARRAY, which is not read; write it again"));
}

TEST_CASE("equal images have one vector: the first one's, and none that differs from it") {
  Pictures pictures;
  pictures.where.Write("in/b.png", TestFolder::Read(pictures.a));
  const std::vector<std::string> names = {pictures.b, pictures.c, pictures.a};
  const auto kept = [&] {
    std::string all;
    for (const auto& [name, bytes] : ReadFolder(pictures.where / "cat")) {
      if (name.ends_with(".vec") || name.find("vectors") != std::string::npos) all += name + bytes;
    }
    return all;
  };
  // As another order of summing leaves them: a.png is listed first, and its vector counts.
  pictures.Write({{1, 0.001F}, {0, 1}, {1, 0}}, names);
  std::string before;
  for (int round = 0; round < 3; ++round) {
    CAPTURE(round);
    const ProcessResult run =
        pictures.Import({"--export", pictures.where / "now.npy", "--catalog", pictures.where / "cat"});
    CHECK(run.exit_code == 0);
    const std::vector<float> now = Floats(TestFolder::Read(pictures.where / "now.npy"));
    REQUIRE(now.size() == 6);
    CHECK(now[1] == 0);
    CHECK(now[3] == 0);
    if (round > 0) CHECK(kept() == before);
    before = kept();
    CHECK_FALSE(before.empty());
  }
  pictures.Write({{1, 0.5F}, {0, 1}, {1, 0}}, names);
  for (int round = 0; round < 2; ++round) {
    const ProcessResult run = pictures.Import({"--catalog", pictures.where / "cat"});
    CHECK(run.exit_code == 2);
    CHECK(Has(run.err, "its rows 0 and 2, counted from 0, are of equal images and differ, the second of " +
                           pictures.b + ": one content has one vector"));
    CHECK(kept() == before);
  }
}

TEST_CASE("folders whose vectors of one name have other lengths are not searched together") {
  Pictures few, many;
  few.Write({{1, 0}, {0, 1}, {1, 1}}, {few.a, few.b, few.c});
  many.Write({{1, 0, 0}, {0, 1, 0}, {1, 1, 0}}, {many.a, many.b, many.c});
  CHECK(few.Import().exit_code == 0);
  CHECK(many.Import().exit_code == 0);
  const std::string in_few = few.where / "in", in_many = many.where / "in";
  for (const auto& [one, other, first, second] :
       {std::tuple{in_few, in_many, "2", "3"}, {in_many, in_few, "3", "2"}}) {
    const ProcessResult found =
        Run({"match", one + "/a.png", "--in", one, "--in", other, "--model-name", "mine"});
    CHECK(found.exit_code == 2);
    INFO(found.err);
    CHECK(Has(found.err, "the vectors of the kind \"imported/1 mine\" have different numbers, "));
    CHECK(Has(found.err, std::string(first) + " in " + one + " ("));
    CHECK(Has(found.err, std::string(second) + " in " + other + " ("));
    CHECK(found.out.empty());
  }
}

TEST_CASE("another vector for an image takes the place of the one before") {
  Pictures pictures;
  const std::vector<std::string> names = {pictures.a, pictures.b, pictures.c};
  pictures.Write({{1, 0}, {0, 1}, {1, 1}}, names);
  CHECK(pictures.Import().exit_code == 0);
  pictures.Write({{1, 0}, {4, 3}, {1, 1}}, names);
  const ProcessResult again = pictures.Import({"--export", pictures.where / "now.npy"});
  CHECK(Has(again.err, "3 vectors of 2, 2 known before"));
  const std::vector<float> now = Floats(TestFolder::Read(pictures.where / "now.npy"));
  CHECK(now[2] == doctest::Approx(0.8F));
  CHECK(now[3] == doctest::Approx(0.6F));
}

}  // namespace imgmill::process_test
