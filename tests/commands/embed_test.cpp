// embed, match and dedup by vectors as a user runs them: exports, recall, kills, full disks, models.
#include <doctest/doctest.h>
#include <sys/mount.h>

#include <climits>
#include <cmath>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "kill_at_call.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

/// FindModel with the embedding network of 256 floats.
ModelParts FindNetwork() {
  ModelParts parts = FindModel();
  if (!parts.missing.empty()) return parts;
  parts.weights = std::string(std::getenv("IMGMILL_TEST_ASSETS")) +
                  "/weights/torchscript/mobilenet_v1_0.25_224_embed256_f32.pt";
  if (!TestFolder::Exists(parts.weights)) parts.missing = "no " + parts.weights;
  return parts;
}

std::vector<std::string> Plus(std::vector<std::string> command, const std::vector<std::string>& more) {
  command.insert(command.end(), more.begin(), more.end());
  return command;
}

const std::vector<std::string> kInput = {"--scale", "1/127.5", "--shift", "-1", "--device", "cpu"};

/// path and vector of each line.
std::map<std::string, std::vector<double>> ReadJsonLines(const std::string& file) {
  std::map<std::string, std::vector<double>> vectors;
  std::istringstream lines(TestFolder::Read(file));
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json json = nlohmann::json::parse(line);
    vectors[json["path"]] = json["vector"].get<std::vector<double>>();
  }
  return vectors;
}

}  // namespace

TEST_CASE("exports have the same bytes with any number of threads and any budget, recalled or not") {
  const TestFolder where;
  CopySamples(where / "photos");
  std::map<std::string, std::string> expected;
  for (const std::vector<std::string>& circumstance :
       std::vector<std::vector<std::string>>{{"-j1"},
                                             {"-j4"},
                                             {"-j2", "--memory", "80MiB"},
                                             {"-j3", "--catalog", where / "c"},
                                             {"--catalog", where / "c"}}) {
    CAPTURE(circumstance[0]);
    for (const std::string extension : {"npy", "csv", "jsonl", "parquet"}) {
      const std::string file = where / ("v." + extension);
      std::vector<std::string> command = Plus({"embed", where / "photos", "--export", file}, circumstance);
      if (circumstance.size() != 2 || circumstance[0] != "--catalog") command.push_back("--force");
      const ProcessResult result = Run(command);
      INFO(result.err);
      CHECK(result.exit_code == 0);
      if (expected[extension].empty()) expected[extension] = TestFolder::Read(file);
      CHECK(TestFolder::Read(file) == expected[extension]);
    }
    CHECK_FALSE(TestFolder::Read(where / "v.paths.txt").empty());
  }
  // NumPy's format, by its documentation: magic, version 1.0, 118 bytes of header, then 30 rows of 512
  // floats.
  const std::string npy = expected["npy"];
  CHECK(npy.substr(0, 10) == std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  CHECK(npy.find("'shape': (30, 512)") != std::string::npos);
  CHECK(npy.size() == 128 + 30 * 512 * 4);
}

TEST_CASE("where there is no image any more, what was exported stays, but with --force") {
  const TestFolder where;
  std::filesystem::create_directory(where / "in");
  std::filesystem::copy(SampleData() + "/clock.jpg", where / "in/clock.jpg");
  const std::vector<std::vector<std::string>> commands = {
      {"embed", where / "in", "--export", where / "v.npy"},
      {"filter", where / "in", "--keep", "width>1", "--export", where / "s.csv"}};
  for (const auto& command : commands) CHECK(Run(command).exit_code == 0);
  const std::string vectors = TestFolder::Read(where / "v.npy"), signals = TestFolder::Read(where / "s.csv");
  std::filesystem::remove(where / "in/clock.jpg");  // as where a drive is not mounted
  for (const auto& command : commands) {
    const ProcessResult run = Run(command);
    CHECK(run.exit_code == 1);
    CHECK(run.err.find("is left as it is") != std::string::npos);
  }
  CHECK(TestFolder::Read(where / "v.npy") == vectors);
  CHECK(TestFolder::Read(where / "s.csv") == signals);
  for (const auto& command : commands) CHECK(Run(Plus(command, {"--force"})).exit_code == 0);
  CHECK(TestFolder::Read(where / "v.npy") != vectors);
  CHECK(TestFolder::Read(where / "s.csv") != signals);
}

TEST_CASE("a folder for clip-retrieval has half the bytes, and the names in Parquet") {
  const TestFolder where;
  CopySamples(where / "photos");
  const ProcessResult made = Run({"embed", where / "photos", "--export", where / "clip/"});
  CHECK(made.exit_code == 0);
  CHECK(made.out == where / "clip/img_emb/img_emb_0.npy\n" + (where / "clip/metadata/metadata_0.parquet\n"));
  const std::string npy = TestFolder::Read(where / "clip/img_emb/img_emb_0.npy");
  CHECK(npy.find("{'descr': '<f2', 'fortran_order': False, 'shape': (30, 512), }") == 10);
  CHECK(npy.size() == 128 + 30 * 512 * 2);
  const std::string names = TestFolder::Read(where / "clip/metadata/metadata_0.parquet");
  CHECK(names.starts_with("PAR1"));
  CHECK(names.ends_with("PAR1"));
  CHECK(names.find(where / "photos/badge_alpha.png") != std::string::npos);
}

TEST_CASE(
    "a foreign file is not replaced by an export, our own is, and --no-catalog without one is refused") {
  const TestFolder where;
  const std::string picture = SampleData() + "/icon_tiny.png";
  where.Write("v.csv", "mine");
  const std::vector<std::string> command = {"embed",         picture,     "--export",
                                            where / "v.csv", "--catalog", where / "c"};
  const ProcessResult refused = Run(command);
  CHECK(refused.exit_code == 3);
  CHECK(refused.err.find("--force") != std::string::npos);
  CHECK(TestFolder::Read(where / "v.csv") == "mine");
  CHECK(Run(Plus(command, {"--force"})).exit_code == 0);
  CHECK(Run(command).exit_code == 0);
  CHECK(Run({"embed", picture, "--no-catalog"}).exit_code == 2);
  CHECK(Run({"embed", picture, "--export", where / "v.txt"}).exit_code == 2);
}

TEST_CASE("a killed embed, run again, exports the bytes of an undisturbed one") {
  const TestFolder where;
  CopySamples(where / "photos");
  const auto command = [&](const std::string& name) {
    return std::vector<std::string>{"embed",     where / "photos", "-j2", "--export", where / (name + ".npy"),
                                    "--catalog", where / name};
  };
  const std::vector<std::string> environment = WithState({}).environment;
  // Undisturbed, and its calls by which files change counted: they say when it is killed, not the clock.
  std::vector<long> calls;
  const KillOutcome counted =
      KillAtCall(Imgmill(command("whole")), environment, ChangingCalls(), INT_MAX, &calls);
  if (counted == KillOutcome::kCannotTrace) {
    MESSAGE("SKIPPED: this system lets no process trace another");
    return;
  }
  const std::string expected = TestFolder::Read(where / "whole.npy");
  REQUIRE(expected.size() > 1000);
  constexpr int kKills = 6;
  const int span = static_cast<int>(calls.size()) / kKills;
  REQUIRE(span > 3);
  int midway = 0;
  for (int part = 0; part < kKills; ++part) {
    std::mt19937 random(static_cast<unsigned>(part));
    const int point = part * span + std::uniform_int_distribution<int>(1, span)(random);
    CAPTURE(point);
    const std::string name = "run" + std::to_string(part);
    const KillOutcome outcome = KillAtCall(Imgmill(command(name)), environment, ChangingCalls(), point);
    midway += outcome == KillOutcome::kKilled ? 1 : 0;
    CHECK((!TestFolder::Exists(where / (name + ".npy")) ||
           TestFolder::Read(where / (name + ".npy")) == expected));
    const ProcessResult again = Run(command(name));
    INFO(again.err);
    CHECK(again.exit_code == 0);
    CHECK(TestFolder::Read(where / (name + ".npy")) == expected);
  }
  MESSAGE(midway << " of " << kKills << " runs were killed midway, in " << calls.size() << " calls");
  CHECK(midway >= kKills / 2);  // a run that takes less time commits less often
}

TEST_CASE("vectors that were lost are computed again, each image's own, and match takes no damaged one") {
  const TestFolder where;
  where.Write("in/a.png", TestFolder::Read(SampleData() + "/icon_tiny.png"));
  where.Write("in/b.png", TestFolder::Read(SampleData() + "/badge_alpha.png"));
  where.Write("in/c.png", TestFolder::Read(SampleData() + "/balloons.png"));
  const auto embed = [&](const std::string& catalog) {
    return std::vector<std::string>{
        "embed", where / "in", "-j1", "--export", where / (catalog + ".npy"), "--catalog", where / catalog};
  };
  REQUIRE(Run(embed("undisturbed")).exit_code == 0);
  const std::string expected = TestFolder::Read(where / "undisturbed.npy");
  // Rows in another order than the listing's: written from the start again, each place has another image's.
  for (const char* last : {"c.png", "b.png", "a.png"})
    REQUIRE(Run({"embed", where / "in", "--include", last, "--catalog", where / "c"}).exit_code == 0);
  const FolderBytes files = ReadFolder(where / "c/vectors");
  REQUIRE(files.size() == 1);
  const std::string vectors = where / ("c/vectors/" + files.begin()->first);
  const std::string whole = files.begin()->second;

  SUBCASE("the file is gone") {
    REQUIRE(::unlink(vectors.c_str()) == 0);
  }
  SUBCASE("only the header is left") {
    where.Write("c/vectors/" + files.begin()->first, whole.substr(0, 4096));
  }
  SUBCASE("a row is zero, one is not a number") {
    std::string damaged = whole;
    std::fill_n(damaged.begin() + 4096, 512 * 4, '\0');
    std::fill_n(damaged.begin() + 4096 + 512 * 4, 512 * 4, '\xff');
    where.Write("c/vectors/" + files.begin()->first, damaged);
    const ProcessResult found =
        Run({"match", where / "in/b.png", "--in", where / "in", "--catalog", where / "c", "--format", "csv",
             "--min-similarity", "-1", "--exclude-self"});
    CHECK(found.exit_code == 0);
    CHECK(found.err.find("the vectors of 2 images are lost or damaged, and not searched") !=
          std::string::npos);
    CHECK(found.out.find("c.png") == std::string::npos);
    CHECK(found.out.find("a.png") != std::string::npos);
    CHECK(found.out.find("nan") == std::string::npos);
  }
  const ProcessResult again = Run(embed("c"));
  INFO(again.err);
  CHECK(again.exit_code == 0);
  CHECK(TestFolder::Read(where / "c.npy") == expected);
}

TEST_CASE("vectors on a full disk: exits 75, and continues when there is room") {
  const TestFolder where;
  CopySamples(where / "photos");
  std::filesystem::create_directories(where / "disk");
  if (::mount("tmpfs", (where / "disk").c_str(), "tmpfs", 0, "size=120k") != 0) {
    MESSAGE("SKIPPED: cannot mount a tmpfs: " << std::strerror(errno));
    return;
  }
  const std::vector<std::string> command = {"embed", where / "photos", "--catalog", where / "disk/catalog"};
  const ProcessResult full = Run(command);
  INFO(full.err);
  CHECK(full.exit_code == 75);
  CHECK((full.err.find("full") != std::string::npos || full.err.find("No space") != std::string::npos));
  REQUIRE(::mount("tmpfs", (where / "disk").c_str(), "tmpfs", MS_REMOUNT, "size=64m") == 0);
  const ProcessResult rest = Run(Plus(command, {"--json"}));
  INFO(rest.err);
  CHECK(rest.exit_code == 0);
  CHECK(Json(rest)["done"] == 30);
  ::umount2((where / "disk").c_str(), MNT_DETACH);
}

TEST_CASE("match finds copies first, leaves out what is gone or elsewhere, and queries leave no trace") {
  const TestFolder where;
  CopySamples(where / "photos");
  CopySamples(where / "other");
  const std::vector<std::string> catalog = {"--catalog", where / "catalog"};
  REQUIRE(Run(Plus({"embed", where / "photos", where / "other"}, catalog)).exit_code == 0);
  const auto match = [&](const std::string& query, const std::vector<std::string>& more) {
    const ProcessResult result = Run(Plus(Plus({"match", query, "--json"}, catalog), more));
    INFO(result.err);
    CHECK(result.exit_code == 0);
    return Json(result)["matches"][0]["images"];
  };
  const std::string query = where / "photos/harbour_q30.jpg";
  // Itself and its copy are equal; of equally near ones the first by path comes first.
  auto images = match(query, {"--top", "2"});
  CHECK(images[0]["path"] == where / "other/harbour_q30.jpg");
  CHECK(images[1]["path"] == query);
  CHECK(images[1]["similarity"] == 1.0);
  images = match(query, {"--top", "2", "--exclude-self", "--in", where / "photos"});
  CHECK(images[0]["path"] == where / "photos/harbour.jpg");
  CHECK(images[1]["path"] == where / "photos/harbour_copy.jpg");
  std::filesystem::remove(where / "photos/harbour.jpg");
  where.Write("photos/harbour_copy.jpg", "changed since");
  images = match(query, {"--top", "1", "--exclude-self", "--in", where / "photos"});
  CHECK(images[0]["path"] == where / "photos/holiday/harbour.jpg");
  CHECK(match(query, {"--min-similarity", "0.9", "--in", where / "photos/holiday"}).size() == 1);

  // A query from elsewhere is not found by the next one.
  std::filesystem::copy_file(query, where / "elsewhere.jpg");
  match(where / "elsewhere.jpg", {});
  for (const auto& image : match(where / "elsewhere.jpg", {"--top", "100"}))
    CHECK(image["path"] != where / "elsewhere.jpg");
  CHECK(Run({"match", query, "--catalog", where / "empty"}).exit_code == 2);
  CHECK(Run({"match", query}).exit_code == 2);
  CHECK(Run(Plus({"match", where / "gone.jpg"}, catalog)).exit_code == 1);
}

TEST_CASE("a network's vectors are PyTorch's") {
  const ModelParts model = FindNetwork();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  // tests/golden/make_torchscript_golden.py: PyTorch 2.13 on Pillow's resize.
  std::istringstream golden(TestFolder::Read(IMGMILL_SOURCE_DIR "/tests/golden/torchscript_vectors.csv"));
  std::string line;
  std::getline(golden, line);
  std::map<std::string, std::vector<double>> expected;
  while (std::getline(golden, line)) {
    std::istringstream fields(line);
    std::string name, field;
    std::getline(fields, name, ',');
    while (std::getline(fields, field, ',')) expected[SampleData() + "/" + name].push_back(std::stod(field));
  }
  REQUIRE(expected.size() == 5);
  std::vector<std::string> command = {"embed", "--model", model.weights, "--catalog", where / "catalog"};
  for (const auto& [path, vector] : expected) command.push_back(path);
  std::string first;
  for (const std::string jobs : {"-j1", "-j4"}) {
    const std::string file = where / ("v" + jobs + ".jsonl");
    const ProcessResult result =
        Run(Plus(Plus(command, kInput), {jobs, "--force", "--export", file, "--memory", "700MiB"}),
            model.options);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    CHECK(result.peak_resident < size_t{700} << 20);
    MESSAGE("peak resident " << (result.peak_resident >> 20) << " MiB");
    const auto vectors = ReadJsonLines(file);
    double worst = 0;
    for (const auto& [path, vector] : expected) {
      REQUIRE(vectors.count(path) == 1);
      REQUIRE(vectors.at(path).size() == 256);
      for (size_t i = 0; i < vector.size(); ++i)
        worst = std::max(worst, std::abs(vectors.at(path)[i] - vector[i]));
    }
    MESSAGE("largest difference " << worst);
    CHECK(worst < 1e-5);
    if (first.empty()) first = TestFolder::Read(file);
    CHECK(TestFolder::Read(file) == first);
  }
  // All known now, and moved: neither LibTorch nor the network is loaded, or this module would be missed.
  ProcessOptions without;
  without.environment.push_back("IMGMILL_TORCH_MODULE=/nonexistent.so");
  CHECK(Run(Plus(command, kInput), without).exit_code == 0);
  std::filesystem::copy_file(SampleData() + "/marble.jpg", where / "moved.jpg");
  const std::vector<std::string> moved = {where / "moved.jpg", "--catalog", where / "catalog", "--model",
                                          model.weights};
  CHECK(Run(Plus(Plus({"embed"}, moved), kInput), without).exit_code == 0);
  CHECK(Run(Plus(Plus({"match"}, moved), kInput), without).exit_code == 0);
  // Of what there are none is named, and of what there are.
  const ProcessResult other = Run({"match", where / "moved.jpg", "--catalog", where / "catalog"}, without);
  CHECK(other.exit_code == 2);
  INFO(other.err);
  CHECK(other.err.find("has no vectors of the kind \"builtin/") != std::string::npos);
  CHECK(other.err.find("(512 numbers each), but of \"torchscript/1 ") != std::string::npos);
  CHECK(other.err.find("(mobilenet_v1_0.25_224_embed256_f32.pt, 256 numbers each)") != std::string::npos);
  CHECK(Run(Plus(Plus({"dedup", "--method", "embedding"}, moved), kInput), without).exit_code == 0);
  CHECK(Run(Plus(Plus({"embed", SampleData() + "/clock.jpg"}, moved), kInput), without).exit_code == 3);
}

TEST_CASE("published weights bring their own input, and give what the traced network gives") {
  const ModelParts model = FindNetwork();
  const std::string folder = model.missing.empty()
                                 ? std::string(std::getenv("IMGMILL_TEST_ASSETS")) + "/weights/converted/"
                                 : std::string();
  const std::string weights = folder + "efficientnet_lite0.timm.safetensors";
  if (!model.missing.empty() || !TestFolder::Exists(weights)) {
    MESSAGE("SKIPPED: " << (model.missing.empty() ? "no " + weights : model.missing));
    return;
  }
  const TestFolder where;
  const std::string picture = SampleData() + "/harbour.jpg";
  const auto embed = [&](const std::string& file, const std::vector<std::string>& more) {
    const ProcessResult result = Run(Plus({"embed", picture, "--model", file, "--catalog", where / "catalog",
                                           "--device", "cpu", "--export", where / "v.jsonl", "--force"},
                                          more),
                                     model.options);
    INFO(result.err);
    REQUIRE(result.exit_code == 0);
    return ReadJsonLines(where / "v.jsonl")[picture];
  };
  const std::vector<double> own = embed(weights, {"-j1"});
  REQUIRE(own.size() == 1280);
  CHECK(embed(weights, {"-j4"}) == own);
  // The trace takes (x - 127) / 128 where timm, and so the weights, have x / 127.5 - 1.
  const std::vector<double> traced = embed(folder + "efficientnet_lite0.embed1280.ts.pt",
                                           {"--scale", "1/127.5", "--shift", "-1", "--resize", "shorter",
                                            "--shorter-side", "256", "--interpolation", "bicubic"});
  REQUIRE(traced.size() == 1280);
  double worst = 0;
  for (size_t i = 0; i < own.size(); ++i) worst = std::max(worst, std::abs(own[i] - traced[i]));
  CHECK(worst < 1e-5);
  // Known now, to the catalog: neither LibTorch nor the network is loaded, or this module would be missed.
  ProcessOptions without;
  without.environment.push_back("IMGMILL_TORCH_MODULE=/nonexistent.so");
  const std::vector<std::string> again = {picture, "--model", weights, "--catalog", where / "catalog"};
  CHECK(Run(Plus({"embed"}, again), without).exit_code == 0);
  CHECK(Run(Plus({"match"}, again), without).exit_code == 0);
  CHECK(Run(Plus(Plus({"embed"}, again), {"--interpolation", "lanczos"}), without).exit_code == 3);
  // And an embedder is no upscaler.
  const ProcessResult wrong =
      Run({"upscale", picture, "-o", where / "out", "--model", weights}, model.options);
  CHECK(wrong.exit_code == 3);
  CHECK(wrong.err.find("makes vectors of images (EfficientNet-Lite0): use embed --model") !=
        std::string::npos);
}

TEST_CASE("what is wrong with a model is said") {
  const ModelParts model = FindNetwork();
  if (!model.missing.empty()) {
    MESSAGE("SKIPPED: " << model.missing);
    return;
  }
  const TestFolder where;
  const std::string picture = SampleData() + "/icon_tiny.png";
  const auto embed = [&](const std::string& file, const std::vector<std::string>& more, int code,
                         const std::string& words) {
    const ProcessResult result =
        Run(Plus({"embed", picture, "--model", file, "--no-catalog", "--export", where / "v.csv"}, more),
            model.options);
    INFO(result.err);
    CHECK(result.exit_code == code);
    CHECK(result.err.find(words) != std::string::npos);
  };
  embed(model.weights, {}, 2, "--mean and --std");
  embed(model.weights, {"--mean", "0.5"}, 2, "go together");
  embed(model.weights, {"--scale", "1/0"}, 2, "--scale takes one number");
  embed(where / "none.pt", kInput, 2, "cannot be opened");
  const std::string upscaler = FindModel().weights;
  embed(upscaler, kInput, 3, "enlarges images (SRVGGNetCompact): use upscale --model");
  where.Write("text.pt", "hello");
  embed(where / "text.pt", kInput, 3, "neither a .safetensors file nor a PyTorch state dict");

  // What the network takes, from the file beside it; a flag wins.
  std::filesystem::create_symlink(model.weights, where / "net.pt");
  where.Write("net.pt.yaml", "scale: 1/127.5\nshift: [-1, -1, -1]\ninput-size: 224\n");
  embed(where / "net.pt", {"--device", "cpu"}, 0, "vectors of 256");
  where.Write("net.pt.yaml", "scale: 1\nexport: elsewhere.csv\n");
  embed(where / "net.pt", {}, 2, "net.pt.yaml:2: \"export\" does not belong");
  where.Write("net.pt.yaml", "sacle: 1\n");
  embed(where / "net.pt", {}, 2, "did you mean \"scale\"");
}

TEST_CASE("a pipeline embeds and matches in its own catalog") {
  const TestFolder where;
  CopySamples(where / "photos");
  const std::string file =
      where.Write("p.yaml",
                  "input: photos\noutput: out\nsteps:\n  - dedup:\n      method: embedding\n"
                  "  - embed:\n      export: v.jsonl\n  - match:\n      top: 1\n"
                  "      exclude-self: true\n");
  const ProcessResult result = Run({"run", file, "--json"});
  INFO(result.err);
  CHECK(result.exit_code == 0);
  const nlohmann::json steps = Json(result)["steps"];
  CHECK(steps[0]["dropped"] == 7);
  CHECK(steps[1]["kept"] == 23);
  CHECK(steps[2]["matches"].size() == 23);
  CHECK(ReadJsonLines(where / "v.jsonl").size() == 23);
}

}  // namespace imgmill::process_test
