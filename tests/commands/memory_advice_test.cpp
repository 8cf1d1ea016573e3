// Advice on --memory, followed; and that many files need no more of it than few.
#include <doctest/doctest.h>
#include <unistd.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>

#include "commands/drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// Many names of one picture of one pixel, and one picture that decoders hold whole.
void MakePhotos(const std::string& folder, int small) {
  WritePicture(folder + "/small0.png", Draw(1, 1, 1, [](int64_t, int64_t, int) { return 7; }));
  for (int i = 1; i < small; ++i) {
    const std::string name = folder + "/small" + std::to_string(i) + ".png";
    REQUIRE(::link((folder + "/small0.png").c_str(), name.c_str()) == 0);
  }
  WritePicture(folder + "/whole.webp", Draw(3000, 2000, 3, [](int64_t x, int64_t y, int band) {
                 return static_cast<double>((x / 8 + y / 16 * (band + 1)) % 256);
               }));
}

/// The number in "use --memory 147MiB or more", or "the smallest that works is --memory 50MiB".
size_t Advised(const std::string& text) {
  const std::regex pattern("(?:use|works is) --memory ([0-9]+)MiB");
  std::smatch found;
  REQUIRE_MESSAGE(std::regex_search(text, found, pattern), text);
  return std::stoul(found[1].str());
}

/// A CLIP tower of one block with a wide perceptron, 34 MB in half precision: numbers of about 0.05, of
/// either sign.
void WriteHalfClip(const std::string& path) {
  constexpr int kWidth = 1024, kInner = 8192;
  std::string header, data;
  uint32_t drawn = 1;
  const auto add = [&](const std::string& name, const std::vector<int>& shape) {
    size_t count = 1;
    std::string sizes;
    for (const int size : shape) {
      count *= static_cast<size_t>(size);
      sizes += (sizes.empty() ? "" : ",") + std::to_string(size);
    }
    const size_t begin = data.size();
    for (size_t i = 0; i < count; ++i) {
      drawn = drawn * 1664525 + 1013904223;
      const auto half = static_cast<uint16_t>(0x2800 | (drawn >> 16 & 0x83FF));
      data.append(reinterpret_cast<const char*>(&half), sizeof half);
    }
    header += (header.empty() ? "{\"" : ",\"") + ("visual." + name) + R"(":{"dtype":"F16","shape":[)" +
              sizes + R"(],"data_offsets":[)" + std::to_string(begin) + "," + std::to_string(data.size()) +
              "]}";
  };
  const auto both = [&](const std::string& name, const std::vector<int>& shape) {
    add(name + "weight", shape);
    add(name + "bias", {shape[0]});
  };
  add("class_embedding", {kWidth});
  add("positional_embedding", {17, kWidth});
  add("proj", {kWidth, 32});
  add("conv1.weight", {kWidth, 3, 8, 8});
  const std::string block = "transformer.resblocks.0.";
  for (const std::string& norm :
       {std::string("ln_pre."), std::string("ln_post."), block + "ln_1.", block + "ln_2."})
    both(norm, {kWidth});
  both(block + "attn.in_proj_", {3 * kWidth, kWidth});
  both(block + "attn.out_proj.", {kWidth, kWidth});
  both(block + "mlp.c_fc.", {kInner, kWidth});
  both(block + "mlp.c_proj.", {kWidth, kInner});
  header += "}";
  const uint64_t size = header.size();
  std::ofstream(path, std::ios::binary).write(reinterpret_cast<const char*>(&size), sizeof size)
      << header << data;
}

}  // namespace

TEST_CASE("a model in half precision is refused before any image, until a budget holds it in float32, too") {
  const TestFolder where;
  WriteHalfClip(where / "half.safetensors");
  size_t budget = 180;
  int refused = 0;
  for (;; ++refused) {
    CAPTURE(budget);
    const ProcessResult result =
        Run({"embed", IMGMILL_SOURCE_DIR "/sample_data/clock.jpg", "--model", where / "half.safetensors",
             "--no-catalog", "--export", where / "vectors.npy", "--memory", std::to_string(budget) + "MiB"});
    INFO(result.err);
    if (result.exit_code == 0) break;
    REQUIRE(result.exit_code == 2);
    const size_t advised = Advised(result.err);
    REQUIRE(advised > budget);
    budget = advised;
    REQUIRE(refused < 4);
  }
  CHECK(refused > 0);
}

TEST_CASE(
    "the budget that is advised where a network's batches do not fit holds the image, too, as does the "
    "tile") {
  const ModelParts parts = FindModel();
  if (!parts.missing.empty()) {
    MESSAGE("SKIPPED: " << parts.missing);
    return;
  }
  const TestFolder where;
  const std::string assets = std::getenv("IMGMILL_TEST_ASSETS");
  const std::string photo = where / "photo.png";
  WritePicture(photo, Draw(480, 320, 3, [](int64_t x, int64_t y, int band) {
                 return static_cast<double>((x * 3 + y * (band + 1)) % 256);
               }));
  const auto with = [&](size_t mib, const std::string& tile = "352") {
    return Run({"upscale", photo, "-o", where / "large", "--force", "--model",
                assets + "/weights/ofsoundof+NTIRE2022_ESR/model_zoo/rfdn_baseline.pth", "--tile", tile,
                "--device", "cpu", "--no-catalog", "--memory", std::to_string(mib) + "MiB"},
               parts.options);
  };
  const ProcessResult refused = with(250);
  REQUIRE(refused.exit_code == 2);
  REQUIRE(refused.err.find("batches and an image do not fit") != std::string::npos);
  const ProcessResult ran = with(Advised(refused.err) + kStartsApart);
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  std::smatch tile;
  REQUIRE_MESSAGE(std::regex_search(refused.err, tile, std::regex("; --tile ([0-9]+) fits")), refused.err);
  const ProcessResult smaller = with(250 + kStartsApart, tile[1]);
  INFO(smaller.err);
  CHECK(smaller.exit_code == 0);
}

TEST_CASE(
    "a file that cannot hold its pixels is told as one in whatever memory, and none is advised for it") {
  const TestFolder where;
  const std::string corpus = IMGMILL_SOURCE_DIR "/tests/corpus/files/";
  std::vector<std::string> files = {
      "stills/claims.bmp",  "stills/claims.tga",      "stills/claims_runs.tga",       "stills/claims.qoi",
      "tiff/claims_32.tif", "tiff/claims_planes.tif", "unwritten/end_code_large.gif", "dds/claims.dds",
      "sgi/claims.sgi",     "sgi/claims_runs.sgi"};
  for (std::string& file : files) file = corpus + file;
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"filter", "--keep", "entropy>=0"},
           {"plan", "filter", "--keep", "entropy>=0"},
           {"dedup", "--method", "phash"},
           {"tile", "--size", "64", "-o", where / "tiles"},
           {"upscale", "--method", "linear", "--scale", "1", "-o", where / "large"}}) {
    for (const std::string budget : {"64MiB", "200MiB", "2GiB"}) {
      CAPTURE(command[0]);
      CAPTURE(budget);
      std::vector<std::string> words = command;
      words.insert(words.end(), files.begin(), files.end());
      words.insert(words.end(), {"--no-catalog", "--json", "--memory", budget});
      const ProcessResult result = Run(words);
      INFO(result.err);
      CHECK(result.exit_code == 1);
      CHECK(result.err.find("--memory") == std::string::npos);
      const nlohmann::json document = Json(result);
      if (command[0] == "plan") {
        CHECK(document["plan"]["refused"] == files.size());
        CHECK(document["plan"]["too_large"] == 0);
        continue;
      }
      CHECK(document["failed"].size() == files.size());
      for (const auto& failure : document["failed"]) CHECK(failure["code"] == "truncated");
    }
  }
}

TEST_CASE("the budget that a refused image asks for is enough among many files") {
  const TestFolder where;
  const std::string photos = where / "photos";
  MakePhotos(photos, 3000);
  for (const std::vector<std::string>& command : std::vector<std::vector<std::string>>{
           {"dedup", photos, "--method", "phash"},
           {"dedup", photos, "--method", "embedding"},
           {"filter", photos, "--keep", "sharpness>=0"},
           {"embed", photos, "--export", where / "vectors.npy"},
           {"tile", photos, "--size", "64", "-o", where / "tiles"},
           {"upscale", photos, "--method", "linear", "--scale", "1", "-o", where / "large"}}) {
    CAPTURE(command.front());
    const auto with = [&](const std::string& budget, bool plan) {
      std::vector<std::string> words = command;
      if (plan) words.insert(words.begin(), "plan");
      words.insert(words.end(), {"--no-catalog", "--json", "-j2", "--memory", budget});
      return Run(words);
    };
    const ProcessResult refused = with("64MiB", true);
    REQUIRE(refused.exit_code == 1);
    const nlohmann::json document = Json(refused);
    REQUIRE(document["plan"]["too_large"] == 1);
    const size_t advised = document["plan"]["enough_budget"].get<size_t>() >> 20;
    const std::string budget = std::to_string(advised + kStartsApart) + "MiB";
    CAPTURE(budget);
    CHECK(with(budget, true).exit_code == 0);
    if (command.back() != "phash") continue;
    // One command in earnest: the others' leases are their plans', too.
    const ProcessResult ran = with("64MiB", false);
    CHECK(ran.exit_code == 1);
    CHECK(Advised(ran.err) + kStartsApart >= advised);
    CHECK(Advised(ran.err) <= advised + kStartsApart);
    CHECK(with(std::to_string(Advised(ran.err) + kStartsApart) + "MiB", false).exit_code == 0);
  }
}

TEST_CASE("the budget that is advised for a database where none is made is enough") {
  const TestFolder where;
  std::filesystem::create_directories(where / "in");
  std::filesystem::copy_file(SampleData() + "/clock.jpg", where / "in/a.jpg");
  const auto with = [&](const std::string& budget) {
    return Run({"pack", where / "in", "-o", where / "out", "--format", "lmdb", "--memory", budget});
  };
  const ProcessResult refused = with("16MiB");
  CHECK(refused.exit_code == 2);
  const ProcessResult ran = with(std::to_string(Advised(refused.err) + kStartsApart) + "MiB");
  INFO(refused.err);
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(TestFolder::Exists(where / "out/data.mdb"));

  // A larger file is known once it was looked at.
  where.Write("in/a.json", std::string(size_t{30} << 20, ' '));
  std::filesystem::remove_all(where / "out");
  const ProcessResult larger = with(std::to_string(Advised(refused.err) + kStartsApart) + "MiB");
  INFO(larger.err);
  CHECK(larger.exit_code != 0);
  CHECK(larger.err.find("with the largest file, of 30 MiB: ") != std::string::npos);
  CHECK_FALSE(TestFolder::Exists(where / "out/data.mdb"));
  CHECK(with(std::to_string(Advised(larger.err) + kStartsApart) + "MiB").exit_code == 0);
}

TEST_CASE(
    "the budget that is advised where workers wait, or where it is too much, lets all work, and no less "
    "does") {
  const TestFolder where;
  const std::string photos = where / "photos";
  MakePhotos(photos, 1);
  REQUIRE(::unlink((photos + "/small0.png").c_str()) == 0);
  for (int i = 1; i < 8; ++i) {
    const std::string name = photos + "/whole" + std::to_string(i) + ".webp";
    REQUIRE(::link((photos + "/whole.webp").c_str(), name.c_str()) == 0);
  }
  const auto with = [&](std::vector<std::string> words, size_t mib) {
    words.insert(words.end(), {"filter", photos, "--keep", "sharpness>=0", "--no-catalog", "--json", "-j4",
                               "--memory", std::to_string(mib) + "MiB"});
    return Json(Run(words));
  };
  const auto at_once = [&](size_t mib) { return with({"plan"}, mib)["plan"]["at_once"].get<int>(); };
  CHECK(at_once(120) < 4);
  for (const size_t budget : {size_t{120}, size_t{2000}}) {
    CAPTURE(budget);
    const nlohmann::json document = with({"memory", "recommend"}, budget);
    const size_t advised = Advised("use " + document["recommendations"][0]["flag"].get<std::string>());
    CAPTURE(advised);
    CHECK(at_once(advised + kStartsApart) == 4);
    CHECK(at_once(advised - 2 * kStartsApart) < 4);
  }
}

TEST_CASE("many files ask for no more memory than one") {
  const TestFolder where;
  MakePhotos(where / "many", 40000);
  MakePhotos(where / "few", 1);
  const auto with = [&](const std::string& photos, const std::string& budget) {
    return Run({"dedup", where / photos, "--method", "exact", "--no-catalog", "--json", "--memory", budget});
  };
  const size_t advised = Advised(with("few", "1MiB").err) + kStartsApart;
  CHECK(Advised(with("many", "1MiB").err) <= advised);
  const ProcessResult ran = with("many", std::to_string(advised) + "MiB");
  INFO(ran.err);
  CHECK(ran.exit_code == 0);
  CHECK(Json(ran)["listed"] == 40001);
  CHECK(ran.peak_resident <= advised << 20);
}

}  // namespace imgmill::process_test
