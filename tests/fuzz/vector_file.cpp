// Fuzzes the catalog's file of vectors: a header that may be anyone's, and as many rows as there are bytes.
#include "imgmill/catalog/vector_file.h"

#include <fcntl.h>

#include <filesystem>
#include <vector>

#include "fuzz/input_file.h"
#include "imgmill/dataset/file_identity.h"

using namespace imgmill;

namespace {

const std::string kKind = "k";

/// A catalog's folder with this content as its file of vectors.
const std::string& Catalog(const uint8_t* data, size_t bytes) {
  static const std::string folder = [] {
    std::string name = "/dev/shm/imgmill-fuzz-XXXXXX";
    fuzz::Require(mkdtemp(name.data()) != nullptr);
    std::filesystem::create_directory(name + "/vectors");
    static const std::string kept = name;
    std::atexit([] { std::filesystem::remove_all(kept); });
    return name;
  }();
  static const std::string path =
      folder + "/vectors/" + DigestOfBytes(kKind.data(), kKind.size()).Hex().substr(0, 16) + ".vec";
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  fuzz::Require(file >= 0 && write(file, data, bytes) == static_cast<ssize_t>(bytes) && close(file) == 0);
  return folder;
}

/// The header's checksum, which no fuzzer guesses, made right.
std::vector<uint8_t> WithChecksum(const uint8_t* data, size_t bytes) {
  constexpr size_t kChecksumAt = 2016;  // 8 of magic, 4 of dimension, 4 of length, 2000 of kind
  std::vector<uint8_t> sound(data, data + bytes);
  if (bytes < kChecksumAt + 8) return sound;
  const ContentDigest digest = DigestOfBytes(sound.data(), kChecksumAt);
  std::copy_n(digest.bytes.data(), 8, sound.data() + kChecksumAt);
  return sound;
}

void Use(VectorFile& file) {
  const auto floats = static_cast<size_t>(file.dimension());
  std::vector<float> vector(floats);
  for (const uint64_t row : {uint64_t{0}, file.rows() / 2, file.rows(), ~uint64_t{0}}) {
    (void)file.Read({row, 0}, vector);
  }
  double sum = 0;
  (void)file.View(0, file.rows(), [&](const float* rows) {
    for (size_t i = 0; i < floats * file.rows(); ++i) sum += static_cast<double>(rows[i]);
  });
  const uint64_t rows = file.rows();
  const Result<VectorFile::Place> place = file.Append(vector);
  fuzz::Require(place.ok() && place->row == rows && file.Read(*place, vector).ok());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t bytes) {
  const std::vector<uint8_t> sound = WithChecksum(data, bytes);
  for (const int dimension : {0, 3}) {
    const std::string& folder = dimension == 0 ? Catalog(data, bytes) : Catalog(sound.data(), sound.size());
    for (const int asked : {0, dimension}) {
      const Result<std::unique_ptr<VectorFile>> file = VectorFile::Open(folder, kKind, asked);
      if (file && *file != nullptr) Use(**file);
    }
  }
  return 0;
}
