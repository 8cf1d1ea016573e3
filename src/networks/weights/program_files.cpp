#include "networks/weights/program_files.h"

#include <algorithm>
#include <array>

#include "networks/weights/state_dict.h"
#include "networks/weights/weight_file.h"
#include "networks/weights/zip_archive.h"

namespace imgmill {

bool IsOnnx(const std::string& path) {
  const Result<WeightFile> file = WeightFile::Open(path);  // which waits for no writer of a pipe
  std::array<unsigned char, 3> start{};
  if (!file || !file->ReadAt(0, start.data(), start.size())) return false;
  // Field 1, the version; then one of the other fields that a model has, 2 to 8, 14 or 20, as text or a
  // number.
  constexpr std::array<unsigned char, 8> kNext = {0x12, 0x1a, 0x22, 0x28, 0x32, 0x3a, 0x42, 0x72};
  return start[0] == 0x08 && start[1] >= 1 && start[1] < 0x40 &&
         std::find(kNext.begin(), kNext.end(), start[2]) != kNext.end();
}

bool IsCompiled(const std::string& path) {
  const Result<WeightFile> file = WeightFile::Open(path);
  if (!file) return false;
  const Result<bool> is_zip = BeginsAsZip(*file);
  if (!is_zip || !*is_zip) return false;
  const Result<ZipDirectory> directory = ReadZipDirectory(*file);
  if (!directory) return false;
  return std::any_of(directory->begin(), directory->end(), [](const auto& named) {
    return named.first.find("/data/aotinductor/") != std::string::npos;
  });
}

bool IsProgram(const std::string& path) {
  if (IsOnnx(path) || IsCompiled(path)) return true;
  const Result<bool> script = IsTorchScript(path);
  return script && *script;
}

Status CheckEnlarges(const std::string& path) {
  if (IsOnnx(path))
    return WeightError(
        "this is an ONNX model, which only embed and match take; enlarge with its PyTorch weights");
  if (IsCompiled(path))
    return WeightError(
        "this is a package of AOTInductor, which only embed and match take; enlarge with its PyTorch "
        "weights");
  return {};
}

}  // namespace imgmill
