// Weight files for the tests: real ones, and made-up ones in a folder that goes away.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>

#include "torch/doctest_beside_torch.h"
#include "torch/little_endian.h"

/// The path of a file in the folder of test material; nothing, with a message, where there is none.
inline std::optional<std::string> Asset(const std::string& name) {
  const char* folder = std::getenv("IMGMILL_TEST_ASSETS");
  if (folder == nullptr || *folder == '\0') {
    MESSAGE("SKIPPED: IMGMILL_TEST_ASSETS is not set");
    return std::nullopt;
  }
  return std::string(folder) + "/" + name;
}

inline std::string ReadBytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

class WeightFolder {
 public:
  WeightFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "imgmill-torch-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~WeightFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  WeightFolder(const WeightFolder&) = delete;
  WeightFolder& operator=(const WeightFolder&) = delete;

  std::string Write(const std::string& name, const std::string& bytes) const {
    const std::string path = path_ + "/" + name;
    std::filesystem::remove(path);  // ext4 waits for the disk when a file is cut and written anew
    std::ofstream file(path, std::ios::binary);
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    REQUIRE(file.good());
    return path;
  }

 private:
  std::string path_;
};
