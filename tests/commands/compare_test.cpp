// What compare says of real files: figures by arithmetic, partners by name, limits, shifts, and memory.
#include <doctest/doctest.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "drawn_picture.h"
#include "program.h"

namespace imgmill::process_test {
namespace {

namespace fs = std::filesystem;

/// Values that are alike nowhere else, smooth over a few pixels: 0 to 199.
double Noise(int64_t x, int64_t y, int) {
  const auto value = [](int64_t u, int64_t v) {
    auto hash = static_cast<uint32_t>(u * 374761393 + v * 668265263);
    hash = (hash ^ (hash >> 13)) * 1274126177u;
    return (hash ^ (hash >> 16)) % 200;
  };
  return static_cast<double>((value(x, y) + value(x + 1, y) + value(x, y + 1) + value(x + 1, y + 1)) / 4);
}

Drawing Brighter(double by) {
  return [by](int64_t x, int64_t y, int band) { return Noise(x, y, band) + by; };
}

Drawing Moved(int64_t dx, int64_t dy) {
  return [dx, dy](int64_t x, int64_t y, int band) { return Noise(x - dx, y - dy, band); };
}

void Draw16(const std::string& path, int64_t width, int64_t height, uint16_t value) {
  fs::create_directories(fs::path(path).parent_path());
  Image image(Layout{width, height, 3, Sample::kU16});
  for (int64_t y = 0; y < height; ++y) {
    auto* row = reinterpret_cast<uint16_t*>(image.row(y));
    std::fill_n(row, width * 3, value);
  }
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, image.layout(), {}, "");
  REQUIRE(writer.ok());
  REQUIRE((*writer)->Write(image.view()).ok());
  REQUIRE((*writer)->Finish().ok());
}

ProcessResult Compare(std::vector<std::string> arguments, int exit_code) {
  arguments.insert(arguments.begin(), "compare");
  arguments.push_back("--no-catalog");
  const ProcessResult result = Run(arguments);
  CAPTURE(result.err);
  CHECK(result.exit_code == exit_code);
  return result;
}

nlohmann::json Document(std::vector<std::string> arguments, int exit_code) {
  arguments.push_back("--json");
  return Json(Compare(std::move(arguments), exit_code));
}

nlohmann::json OnlyPair(const nlohmann::json& document) {
  REQUIRE(document["pairs"].size() == 1);
  return document["pairs"][0];
}

std::string Reason(const nlohmann::json& document, const std::string& file) {
  for (const auto& item : document["failed"]) {
    if (item["path"].get<std::string>().ends_with(file)) return item["message"];
  }
  return "";
}

}  // namespace

TEST_CASE("two files: figures by arithmetic, and equal ones without an infinite number") {
  const TestFolder where;
  WritePicture(where / "a.png", Draw(40, 30, 3, Noise));
  WritePicture(where / "b.png", Draw(40, 30, 3, Brighter(5)));
  const nlohmann::json pair = OnlyPair(Document({where / "a.png", where / "b.png", "--metrics", "all"}, 0));
  CHECK(pair["equal"] == false);
  CHECK(pair["psnr"].get<double>() == doctest::Approx(20 * std::log10(255 / 5.0)));
  CHECK(pair["psnr_y"].get<double>() == doctest::Approx(20 * std::log10(255 * 255 / (219 * 5.0))));
  CHECK(pair["mae"] == 5);
  CHECK(pair["rmse"] == 5);
  CHECK(pair["max"] == 5);
  CHECK(pair["ms_ssim"].is_null());  // no 161 pixels
  CHECK(pair["width"] == 40);
  CHECK_FALSE(pair.contains("alpha_max"));

  const nlohmann::json document = Document({where / "a.png", where / "a.png"}, 1);
  CHECK(Reason(document, "a.png").find("its own partner") != std::string::npos);
  fs::copy(where / "a.png", where / "copy.png");
  const nlohmann::json same = Document({where / "a.png", where / "copy.png"}, 0);
  CHECK(OnlyPair(same)["equal"] == true);
  CHECK(OnlyPair(same)["psnr"].is_null());
  CHECK(OnlyPair(same)["ssim"] == 1);
  CHECK(same["equal"] == 1);
  CHECK(same["mean"]["psnr"].is_null());
  CHECK(Compare({where / "a.png", where / "copy.png"}, 0).out.find(" inf ") != std::string::npos);
}

TEST_CASE("two folders: partners by name, and those that have none, on either side") {
  const TestFolder where;
  for (const char* name : {"a/one.png", "a/sub/two.png", "a/alone.png", "a/size.png"})
    WritePicture(where / name, Draw(30, 20, 3, Noise));
  for (const char* name : {"b/one.jpg", "b/sub/two.webp", "b/nobody.png"})
    WritePicture(where / name, Draw(30, 20, 3, Noise));
  WritePicture(where / "b/size.png", Draw(30, 21, 3, Noise));
  fs::copy(IMGMILL_SOURCE_DIR "/sample_data/truncated.jpg", where / "a/broken.jpg");
  fs::copy(IMGMILL_SOURCE_DIR "/sample_data/truncated.jpg", where / "b/broken.jpg");
  const nlohmann::json document = Document({where / "a", where / "b"}, 1);
  CHECK(document["compared"] == 2);
  CHECK(document["failed"].size() == 4);
  CHECK(Reason(document, "a/alone.png").find("no partner") != std::string::npos);
  CHECK(Reason(document, "b/nobody.png") == "no listed image is its partner");
  CHECK(Reason(document, "a/size.png").find("30x20") != std::string::npos);
  CHECK(Reason(document, "a/size.png").find("30x21") != std::string::npos);
  CHECK(Reason(document, "a/broken.jpg").find("JPEG") != std::string::npos);
  REQUIRE(document["pairs"].size() == 2);
  CHECK(document["pairs"][1]["path"].get<std::string>().ends_with("a/sub/two.png"));
  CHECK(document["pairs"][1]["equal"] == true);

  // Where only some were chosen, the partners of the others are no mistake.
  CHECK(Document({where / "a", where / "b", "--include", "one.*"}, 0)["compared"] == 1);
  CHECK(Document({where / "a", "--pair", where / "b", "--include", "one.*"}, 0)["compared"] == 1);
}

TEST_CASE("a partner that ends early is refused, after the last row that was needed, too") {
  const TestFolder where;
  WritePicture(where / "a/x.png", Draw(480, 320, 3, Noise));
  fs::create_directory(where / "b");
  fs::copy(IMGMILL_SOURCE_DIR "/sample_data/truncated.jpg", where / "b/x.jpg");
  const nlohmann::json document = Document({where / "a", where / "b", "--resize", "linear"}, 1);
  CHECK(Reason(document, "a/x.png").find("its partner") != std::string::npos);

  // Where only a part is looked at, and with a catalog as without.
  WritePicture(where / "whole.png", Draw(200, 200, 3, Noise));
  std::string bytes = TestFolder::Read(where / "whole.png");
  bytes.replace(bytes.size() - 60, 20, 20, '\xee');
  where.Write("broken.png", bytes);
  for (const bool catalog : {false, true}) {
    CAPTURE(catalog);
    std::vector<std::string> arguments = {"compare", where / "whole.png", where / "broken.png",
                                          "--crop-border", "80"};
    if (!catalog) arguments.push_back("--no-catalog");
    CHECK(Run(arguments).exit_code == 1);
  }
}

TEST_CASE("a rerun says again that a partner could be read in part") {
  const TestFolder where;
  const std::string partner = IMGMILL_SOURCE_DIR "/sample_data/truncated.jpg";
  for (int i = 0; i < 2; ++i) {
    const ProcessResult run =
        Run({"compare", IMGMILL_SOURCE_DIR "/sample_data/harbour.jpg", "--pair", partner, "--allow-truncated",
             "--resize", "linear", "-v", "--catalog", where / "c"});
    CHECK(run.err.find("its partner: ") != std::string::npos);
  }
}

TEST_CASE("names with a suffix are paired by a pattern, also within one folder") {
  const TestFolder where;
  WritePicture(where / "set/baby_HR.png", Draw(40, 40, 3, Noise));
  WritePicture(where / "set/baby_SR_x4.png", Draw(40, 40, 3, Brighter(2)));
  WritePicture(where / "set/bird_HR.png", Draw(40, 40, 3, Noise));
  const nlohmann::json document =
      Document({where / "set", where / "set", "--own-name", "{name}_HR", "--pair-name", "{name}_SR_x4"}, 1);
  CHECK(document["compared"] == 1);
  CHECK(OnlyPair(document)["mae"] == 2);
  CHECK(Reason(document, "bird_HR.png").find("bird_SR_x4") != std::string::npos);
  CHECK(Reason(document, "baby_SR_x4.png").find("{name}_HR") != std::string::npos);
  CHECK(document["failed"].size() == 2);  // the images; HR ones are no partners that nobody asked for
}

TEST_CASE("files whose names the pattern of partners does not fit fail nothing, and mask no finding") {
  const TestFolder where;
  for (const std::string name : {"baby", "bird"}) {
    WritePicture(where / ("SR/" + name + ".png"), Draw(40, 40, 3, Brighter(2)));
    WritePicture(where / ("Set5/" + name + "_HR.png"), Draw(40, 40, 3, Noise));
    WritePicture(where / ("Set5/" + name + "_LR.png"), Draw(20, 20, 3, Noise));
  }
  const std::vector<std::string> compare = {"compare",   where / "SR",   where / "Set5", "--pair-name",
                                            "{name}_HR", "--fail-above", "mae=1"};
  const ProcessResult run = Run(compare);
  INFO(run.err);
  CHECK(run.exit_code == 4);
  CHECK(run.err.find("2 images: 2 done, 0 failed") != std::string::npos);
  CHECK(run.err.find("2 files of " + (where / "Set5") + " are not named {name}_HR, and left aside") !=
        std::string::npos);
  // One that fits and has no image is missed all the same.
  WritePicture(where / "Set5/head_HR.png", Draw(40, 40, 3, Noise));
  CHECK(Run(compare).exit_code == 1);
}

TEST_CASE("depths, grey and alpha are compared on one scale") {
  const TestFolder where;
  Draw16(where / "a/deep.png", 20, 20, 100 * 257 + 1);
  Draw16(where / "b/deep.png", 20, 20, 100 * 257);
  Draw16(where / "a/mixed.png", 20, 20, 100 * 257 + 128);
  WritePicture(where / "b/mixed.png", Draw(20, 20, 1, [](int64_t, int64_t, int) { return 100.0; }));
  WritePicture(where / "a/clear.png",
               Draw(20, 20, 4, [](int64_t, int64_t, int band) { return band == 3 ? 0.0 : 50.0; }));
  WritePicture(where / "b/clear.png", Draw(20, 20, 3, [](int64_t, int64_t, int) { return 255.0; }));
  const nlohmann::json document = Document({where / "a", where / "b"}, 0);
  REQUIRE(document["pairs"].size() == 3);
  const nlohmann::json &clear = document["pairs"][0], &deep = document["pairs"][1],
                       &mixed = document["pairs"][2];
  CHECK(deep["max"].get<double>() == doctest::Approx(1 / 257.0));
  CHECK(deep["psnr"].get<double>() == doctest::Approx(20 * std::log10(65535.0)));
  CHECK(mixed["mae"].get<double>() == doctest::Approx(128 / 257.0));
  CHECK(clear["mae"] == 0);  // white on white
  CHECK(clear["alpha_max"] == 255);
  CHECK(clear["equal"] == false);
}

TEST_CASE("images of a pixel and below 11 have no SSIM, and a limit on it is not kept") {
  const TestFolder where;
  WritePicture(where / "a/dot.png", Draw(1, 1, 3, Noise));
  WritePicture(where / "b/dot.png", Draw(1, 1, 3, Noise));
  const nlohmann::json pair = OnlyPair(Document({where / "a", where / "b"}, 0));
  CHECK(pair["ssim"].is_null());
  CHECK(pair["equal"] == true);
  const nlohmann::json limited = Document({where / "a", where / "b", "--fail-below", "ssim=0.5"}, 4);
  CHECK(OnlyPair(limited)["fails"] == "no ssim, the images are too small");
}

TEST_CASE("limits make findings, whatever metrics are shown") {
  const TestFolder where;
  WritePicture(where / "a/x.png", Draw(30, 30, 3, Noise));
  WritePicture(where / "b/x.png", Draw(30, 30, 3, Brighter(10)));
  const std::string a = where / "a", b = where / "b";
  Compare({a, b, "--fail-below", "psnr=28"}, 0);
  Compare({a, b, "--fail-below", "psnr=28.2", "--quiet"}, 4);
  Compare({a, b, "--metrics", "ssim", "--fail-above", "mae=10"}, 0);
  const ProcessResult result =
      Compare({a, b, "--metrics", "ssim", "--fail-above", "mae=9.5", "--fail-above", "max=9"}, 4);
  CHECK(result.out.find("fails " + a + "/x.png  (mae 10.0000 is above 9.5; max 10.00 is above 9)\n") !=
        std::string::npos);
  const nlohmann::json document = Document({a, b, "--fail-below", "psnr=99"}, 4);
  CHECK(document["broken"] == 1);
}

TEST_CASE(
    "pairs that differ in alpha alone are seen by limits on errors, and named where no limit sees them") {
  const TestFolder where;
  const auto glass = [](double alpha) {
    return Draw(20, 20, 4, [alpha](int64_t, int64_t, int band) { return band == 3 ? alpha : 255.0; });
  };
  const std::string clear = where / "clear.png", solid = where / "solid.png", near = where / "near.png";
  WritePicture(clear, glass(0));
  WritePicture(solid, glass(255));
  WritePicture(near, glass(253));
  const nlohmann::json broken =
      Document({clear, solid, "--fail-below", "psnr=30", "--fail-above", "max=0"}, 4);
  CHECK(OnlyPair(broken)["fails"] == "alpha-max 255.00 is above 0");
  CHECK(broken["alpha_differs"] == 1);
  Compare({clear, solid, "--fail-above", "mae=254"}, 4);
  Compare({near, solid, "--fail-above", "mae=2"}, 0);
  // By either name; a limit of its own takes the place of what the others imply.
  Compare({near, solid, "--fail-above", "alpha_max=1"}, 4);
  Compare({near, solid, "--fail-above", "alpha-mae=1.5"}, 4);
  Compare({near, solid, "--fail-above", "max=0", "--fail-above", "alpha-max=2"}, 0);
  const ProcessResult unseen = Compare({clear, solid, "--fail-below", "psnr=30"}, 0);
  CHECK(unseen.out.find("clear.png  (alpha differs by up to 255.00)\n") != std::string::npos);
  CHECK(unseen.err.find("alpha differs in 1") != std::string::npos);
  CHECK(unseen.err.find("clear.png: within the limits, but its alpha differs by up to 255.00") !=
        std::string::npos);
  CHECK(Compare({solid, near, "--fail-above", "max=9"}, 0).err.find("within the limits") ==
        std::string::npos);
}

TEST_CASE("a border is left out, and an image that is all border fails") {
  const TestFolder where;
  const auto framed = [](int64_t x, int64_t y, int band) {
    return Noise(x, y, band) + (x < 4 || y < 4 || x >= 26 || y >= 26 ? 50 : 0);
  };
  WritePicture(where / "a/x.png", Draw(30, 30, 3, Noise));
  WritePicture(where / "b/x.png", Draw(30, 30, 3, framed));
  const nlohmann::json pair = OnlyPair(Document({where / "a", where / "b", "--crop-border", "4"}, 0));
  CHECK(pair["equal"] == true);
  CHECK(pair["width"] == 22);
  CHECK(OnlyPair(Document({where / "a", where / "b", "--crop-border", "3"}, 0))["equal"] == false);
  const nlohmann::json none = Document({where / "a", where / "b", "--crop-border", "15"}, 1);
  CHECK(Reason(none, "x.png").find("--crop-border 15") != std::string::npos);
}

TEST_CASE("a partner of another size is brought to the image's") {
  const TestFolder where;
  const auto flat = [](double value) { return [value](int64_t, int64_t, int) { return value; }; };
  WritePicture(where / "a/x.png", Draw(31, 17, 3, flat(90)));
  WritePicture(where / "b/x.png", Draw(8, 40, 3, flat(93)));
  const nlohmann::json pair = OnlyPair(Document({where / "a", where / "b", "--resize", "lanczos3"}, 0));
  CHECK(pair["mae"] == 3);
  CHECK(pair["width"] == 31);
  CHECK(pair["height"] == 17);
}

TEST_CASE("a known shift is found, and what both show is compared") {
  const TestFolder where;
  for (const auto& [dx, dy] : {std::pair<int64_t, int64_t>{9, -4}, {-3, 12}, {0, 0}}) {
    CAPTURE(dx);
    WritePicture(where / "a/x.png", Draw(200, 170, 3, Noise));
    WritePicture(where / "b/x.png", Draw(200, 170, 3, Moved(dx, dy)));
    const nlohmann::json pair = OnlyPair(Document({where / "a", where / "b", "--align"}, 0));
    CHECK(pair["shift"]["x"] == dx);
    CHECK(pair["shift"]["y"] == dy);
    CHECK(pair["shift"]["reliable"] == true);
    CHECK(pair["equal"] == true);
    CHECK(pair["width"] == 200 - std::abs(dx));
    CHECK(pair["height"] == 170 - std::abs(dy));
  }
  WritePicture(where / "a/x.png", Draw(15, 100, 3, Noise));
  WritePicture(where / "b/x.png", Draw(15, 100, 3, Noise));
  CHECK(Reason(Document({where / "a", where / "b", "--align"}, 1), "x.png").find("--align") !=
        std::string::npos);
}

TEST_CASE("a pair of which no reliable shift was found says so, and an equal one of one colour does not") {
  const TestFolder where;
  const auto far = [](int64_t x, int64_t y, int band) { return Noise(x + 9'001, y + 7'003, band); };
  WritePicture(where / "a/other.png", Draw(200, 170, 3, Noise));
  WritePicture(where / "b/other.png", Draw(200, 170, 3, far));
  const auto flat = [](int64_t, int64_t, int) { return 90.0; };
  WritePicture(where / "a/plain.png", Draw(64, 64, 3, flat));
  WritePicture(where / "b/plain.png", Draw(64, 64, 3, flat));
  const nlohmann::json json = Document({where / "a", where / "b", "--align"}, 0);
  CHECK(json["not_aligned"] == 1);
  CHECK(json["pairs"][0]["shift"]["reliable"] == false);
  CHECK(json["pairs"][0]["shift"]["x"] == 0);
  CHECK(json["pairs"][1]["shift"]["reliable"] == true);
  const ProcessResult table = Compare({where / "a", where / "b", "--align", "--csv", where / "rows.csv"}, 0);
  CHECK(table.out.find("a/other.png  (no reliable shift found)\n") != std::string::npos);
  CHECK(table.out.find("a/plain.png\n") != std::string::npos);
  CHECK(table.err.find(", no reliable shift found of 1") != std::string::npos);
  const std::string rows = TestFolder::Read(where / "rows.csv");
  CHECK(rows.find(",shift_x,shift_y,shift_reliable,fails\n") != std::string::npos);
  CHECK(rows.find(",0,0,0,\n") != std::string::npos);
  CHECK(rows.find(",0,0,1,\n") != std::string::npos);
  CHECK_FALSE(Document({where / "a", where / "b"}, 0).contains("not_aligned"));
}

TEST_CASE("an empty folder is no failure, a missing one is") {
  const TestFolder where;
  fs::create_directories(where / "a");
  fs::create_directories(where / "b");
  CHECK(Document({where / "a", where / "b"}, 0)["compared"] == 0);
  CHECK(Compare({where / "a", where / "nowhere"}, 2).err.find("does not exist") != std::string::npos);
}

TEST_CASE("a second run recalls the figures, and other limits decode nothing") {
  const TestFolder where;
  WritePicture(where / "a/x.png", Draw(30, 30, 3, Noise));
  WritePicture(where / "b/x.png", Draw(30, 30, 3, Brighter(1)));
  const auto run = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments = {"compare",   where / "a", where / "b", "--catalog",
                                          where / "c", "--json",    "--report",  where / "report.json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Run(arguments);
  };
  const ProcessResult first = run({});
  CHECK(JsonFile(where / "report.json")["recalled"] == 0);
  CHECK(run({}).out == first.out);
  CHECK(JsonFile(where / "report.json")["recalled"] == 1);
  CHECK(run({"--fail-above", "max=0.5"}).exit_code == 4);
  CHECK(JsonFile(where / "report.json")["recalled"] == 1);
  WritePicture(where / "b/x.png", Draw(30, 30, 3, Brighter(3)));
  CHECK(Json(run({}))["pairs"][0]["mae"] == 3);
}

TEST_CASE("a dry run says what would be compared, and how many figures are known, and finds nothing") {
  const TestFolder where;
  for (const char* name : {"a.png", "b.png"}) {
    WritePicture(where / ("one/" + std::string(name)), Draw(32, 32, 1, Noise));
    WritePicture(where / ("other/" + std::string(name)), Draw(32, 32, 1, Brighter(9)));
  }
  const auto dry = [&] {
    return Run({"compare", where / "one", where / "other", "--fail-below", "psnr=90", "--catalog",
                where / "catalog", "--dry-run"});
  };
  const auto put_b = [&](const std::string& from, const std::string& to) {
    for (const std::string folder : {"one", "other"})
      fs::rename(where / (folder + from), where / (folder + to));
  };
  put_b("/b.png", "_b.png");
  CHECK(dry().err.find("dry run: 1 would be compared") != std::string::npos);
  CHECK(Run({"compare", where / "one", where / "other", "--catalog", where / "catalog"}).exit_code == 0);
  put_b("_b.png", "/b.png");
  const ProcessResult some = dry();
  CHECK(some.exit_code == 0);
  CHECK(some.err.find("dry run: 1 would be compared") != std::string::npos);
  CHECK(some.err.find("; the figures of 1 are known already") != std::string::npos);
  CHECK(some.out.find("one/b.png") != std::string::npos);
  CHECK(some.out.find("one/a.png") == std::string::npos);
  CHECK(Run({"compare", where / "one", where / "other", "--catalog", where / "catalog"}).exit_code == 0);
  const ProcessResult all = dry();
  CHECK(all.exit_code == 0);
  CHECK(all.err.find("dry run: 0 would be compared") != std::string::npos);
  CHECK(all.out.find("psnr") == std::string::npos);
}

TEST_CASE("a pair of any height takes no more memory") {
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
  return;
#endif
  const TestFolder where;
  for (const int height : {2000, 12000}) {
    for (const char* side : {"/a", "/b"}) {
      const std::string folder = where / (std::to_string(height) + side);
      fs::create_directories(folder);
      WriteLargeJpeg(folder + "/x.jpg", 700, height);
    }
  }
  const auto peak = [&](const std::string& folder) {
    return Compare({where / (folder + "/a"), where / (folder + "/b"), "--metrics", "all", "--align", "--html",
                    where / "page.html"},
                   0)
        .peak_resident;
  };
  const size_t low = peak("2000");
  // Held whole, the pair would take 42 MB more; two runs of the same differ by some.
  CHECK(peak("12000") < low + (size_t{22} << 20));
}

}  // namespace imgmill::process_test
