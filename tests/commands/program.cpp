// Running imgmill, and reading back what it wrote.
#include "program.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "imgmill/image/writer.h"

namespace imgmill::process_test {
namespace fs = std::filesystem;

std::string SampleData() {
  return IMGMILL_SOURCE_DIR "/sample_data";
}

std::string PutSample(const TestFolder& where, const std::string& sample, const std::string& as) {
  fs::create_directories(fs::path(where / as).parent_path());
  fs::copy_file(SampleData() + "/" + sample, where / as);
  return where / as;
}

std::vector<std::string> With(std::vector<std::string> words, const std::vector<std::string>& more) {
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

bool Has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

std::vector<std::string> Imgmill(const std::vector<std::string>& arguments) {
  std::vector<std::string> argv = {IMGMILL_BINARY_DIR "/bin/imgmill"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return argv;
}

ProcessOptions WithState(ProcessOptions options) {
  static const TestFolder state;
  options.environment.push_back("XDG_STATE_HOME=" + state.path());
  return options;
}

ProcessResult Run(const std::vector<std::string>& arguments, const ProcessOptions& options) {
  Process process(Imgmill(arguments), WithState(options));
  ProcessResult result = process.Wait();
  INFO(result.err);
  CHECK_FALSE(result.timed_out);
  return result;
}

nlohmann::json Json(const ProcessResult& result) {
  INFO("exit ", result.exit_code, " signal ", result.signal, "\n", result.err);
  nlohmann::json json = nlohmann::json::parse(result.out, nullptr, /*allow_exceptions=*/false);
  REQUIRE_FALSE(json.is_discarded());
  return json;
}

nlohmann::json JsonFile(const std::string& path) {
  INFO(path);
  nlohmann::json json = nlohmann::json::parse(TestFolder::Read(path), nullptr, false);
  REQUIRE_FALSE(json.is_discarded());
  return json;
}

namespace {

/// Calls `visit` for each file below `folder`. A folder that changes meanwhile is no error.
template <typename Visit>
void Walk(const std::string& folder, Visit visit) {
  std::error_code gone;
  for (fs::recursive_directory_iterator it(folder, gone), end; it != end && !gone; it.increment(gone)) {
    if (it->path().filename() == ".imgmill") {
      it.disable_recursion_pending();
      continue;
    }
    std::error_code vanished;
    if (!it->is_directory(vanished)) visit(it->path());
  }
}

}  // namespace

FolderBytes ReadFolder(const std::string& folder) {
  FolderBytes files;
  Walk(folder, [&](const fs::path& path) {
    files[path.lexically_relative(folder).string()] = TestFolder::Read(path.string());
  });
  return files;
}

size_t CountFiles(const std::string& folder) {
  size_t count = 0;
  Walk(folder, [&](const fs::path& path) { count += path.filename().string()[0] != '.' ? 1 : 0; });
  return count;
}

std::string Difference(const FolderBytes& expected, const FolderBytes& found) {
  std::string text;
  for (const auto& [name, bytes] : expected) {
    const auto other = found.find(name);
    if (other == found.end()) {
      text += "missing: " + name + "\n";
    } else if (other->second != bytes) {
      text += "other bytes: " + name + "\n";
    }
  }
  for (const auto& [name, bytes] : found) {
    if (expected.count(name) == 0) text += "too much: " + name + "\n";
  }
  return text;
}

void CopySamples(const std::string& to) {
  Walk(SampleData(), [&](const fs::path& path) {
    const std::string name = path.filename().string();
    const std::string extension = path.extension().string();
    if (extension != ".jpg" && extension != ".png" && extension != ".webp") return;
    if (name == "not_an_image.jpg" || name == "truncated.jpg") return;
    const fs::path target = fs::path(to) / path.lexically_relative(SampleData());
    fs::create_directories(target.parent_path());
    fs::copy_file(path, target);
    fs::last_write_time(target, fs::last_write_time(path));
  });
}

Image LoadImage(const std::string& path, const ReadOptions& options) {
  CAPTURE(path);
  const Result<ImageHeader> header = Probe(path, {});
  REQUIRE(header.ok());
  Result<std::unique_ptr<RowReader>> rows = OpenRows(path, *header, options);
  REQUIRE(rows.ok());
  Image image((*rows)->layout());
  REQUIRE((*rows)->Read(image.layout().height, image.row(0), image.layout().row_bytes()).ok());
  return image;
}

void WriteLargeJpeg(const std::string& path, int width, int height) {
  WriteOptions options;
  options.format = FileFormat::kJpeg;
  const Layout layout{width, height, 3, Sample::kU8};
  Result<std::unique_ptr<RowWriter>> writer = CreateRows(path, layout, options, "");
  REQUIRE(writer.ok());
  Image strip(Layout{width, 16, 3, Sample::kU8});
  uint32_t seed = 1;
  for (int y = 0; y < height; y += 16) {
    const int rows = std::min(16, height - y);
    for (int row = 0; row < rows; ++row) {
      uint8_t* out = strip.row(row);
      for (int i = 0; i < width * 3; ++i) {
        seed = seed * 1664525U + 1013904223U;
        out[i] = static_cast<uint8_t>(64 + ((i / 64) & 63) + ((y + row) / 64 & 63) + (seed >> 28));
      }
    }
    ImageView view = strip.view();
    view.layout.height = rows;
    REQUIRE((*writer)->Write(view).ok());
  }
  REQUIRE((*writer)->Finish().ok());
}

ModelParts FindModel() {
  ModelParts parts;
  const char* assets = std::getenv("IMGMILL_TEST_ASSETS");
  const char* module = std::getenv("IMGMILL_TORCH_MODULE");
  const std::string file = module != nullptr ? module : IMGMILL_BINARY_DIR "/lib/libimgmill_torch.so";
  if (assets == nullptr) {
    parts.missing = "IMGMILL_TEST_ASSETS is not set";
    return parts;
  }
  parts.weights = std::string(assets) + "/weights/realesrgan/realesr-animevideov3-x4.safetensors";
  if (!fs::exists(parts.weights)) parts.missing = "no " + parts.weights;
  if (!fs::exists(file)) parts.missing = "no LibTorch module at " + file;
  parts.options.environment.push_back("IMGMILL_TORCH_MODULE=" + file);
  return parts;
}

}  // namespace imgmill::process_test
