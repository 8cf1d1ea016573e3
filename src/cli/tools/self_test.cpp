// The self-test: real files, the real readers and writers, a real catalog; expected values by construction.
#include "self_test.h"

#include <cstdlib>
#include <cstring>
#include <filesystem>

#include "base/try.h"
#include "imgmill/catalog/catalog.h"
#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"
#include "imgmill/signals/perceptual_hash.h"
#include "imgmill/similarity/hamming.h"

namespace imgmill {
namespace {

namespace fs = std::filesystem;

Error Broken(const std::string& what) {
  return {Stage::kCompute, Code::kInternal, what};
}

/// Smooth enough for JPEG to keep it nearly, and different in each band.
Image Slope() {
  Image image(Layout{320, 200, 3, Sample::kU8});
  for (int64_t y = 0; y < 200; ++y) {
    for (int64_t x = 0; x < 320; ++x) {
      uint8_t* pixel = image.row(y) + 3 * x;
      pixel[0] = static_cast<uint8_t>(x * 255 / 320);
      pixel[1] = static_cast<uint8_t>(y * 255 / 200);
      pixel[2] = static_cast<uint8_t>((x + y) / 4);
    }
  }
  return image;
}

/// Writes the slope, reads it back, and compares every sample.
Status RoundTrip(const std::string& folder, FileFormat format, int tolerance) {
  const Image slope = Slope();
  const Layout& layout = slope.layout();
  const std::string path = folder + "/slope" + std::string(Extension(format));
  WriteOptions writing;
  writing.format = format;
  writing.quality = 95;
  std::unique_ptr<RowWriter> writer = TRY(CreateRows(path, layout, writing, ""));
  TRY(writer->Write(slope.view()));
  TRY(writer->Finish());
  const ImageHeader header = TRY(Probe(path, {}));
  std::unique_ptr<RowReader> reader = TRY(OpenRows(path, header, {}));
  if (reader->layout() != layout) return Broken("the size or depth read back differs from what was written");
  Image back(layout);
  TRY(reader->Read(layout.height, back.row(0), layout.row_bytes()));
  const size_t samples = layout.row_bytes() * static_cast<size_t>(layout.height);
  for (size_t i = 0; i < samples; ++i) {
    if (std::abs(slope.row(0)[i] - back.row(0)[i]) > tolerance)
      return Broken("the pixels read back differ from those written");
  }
  return {};
}

/// An image has its own hash again, and its negative another one.
Status Hashing() {
  const Image slope = Slope();
  Image negative = Slope();
  const size_t samples = slope.layout().row_bytes() * static_cast<size_t>(slope.layout().height);
  for (size_t i = 0; i < samples; ++i) negative.row(0)[i] = static_cast<uint8_t>(255 - negative.row(0)[i]);
  const auto hash = [](const Image& image) {
    PerceptualHasher hasher(HashKind::kPhash, image.layout());
    hasher.Add(image.view());
    return hasher.Finish();
  };
  if (hash(slope) != hash(slope)) return Broken("one image has two hashes");
  if (hash(slope) == hash(negative)) return Broken("an image and its negative have one hash");
  return {};
}

Status KeepAndFind(const std::string& folder) {
  const ContentDigest content = DigestOfBytes("doctor", 6);
  {
    std::unique_ptr<Catalog> catalog = TRY(Catalog::Open(folder + "/catalog"));
    TRY(catalog->PutFact(content, "doctor/1", "well"));
    TRY(catalog->Flush());
  }
  std::unique_ptr<Catalog> again = TRY(Catalog::Open(folder + "/catalog"));
  return again->FindFact(content, "doctor/1") == "well" ? Status()
                                                        : Status(Broken("what was stored is not found"));
}

}  // namespace

std::vector<SelfTestPart> RunSelfTest() {
  std::error_code problem;
  std::string folder = (fs::temp_directory_path(problem) / "imgmill-doctor-XXXXXX").string();
  if (problem || ::mkdtemp(folder.data()) == nullptr) {
    return {{"self-test", "",
             Error{Stage::kWrite, Code::kWriteError, "no folder for temporary files (set TMPDIR)"}}};
  }
  std::vector<SelfTestPart> parts;
  parts.push_back({"PNG", "written and read back, to the bit", RoundTrip(folder, FileFormat::kPng, 0)});
  parts.push_back(
      {"JPEG", "written and read back, nearly the same", RoundTrip(folder, FileFormat::kJpeg, 12)});
  parts.push_back(
      {"WebP", "written and read back, nearly the same", RoundTrip(folder, FileFormat::kWebp, 16)});
  parts.push_back({"TIFF", "written and read back, to the bit", RoundTrip(folder, FileFormat::kTiff, 0)});
  parts.push_back({"hashes", "an image is like itself and unlike its negative", Hashing()});
  parts.push_back({"catalog", "kept and found again", KeepAndFind(folder)});
  fs::remove_all(folder, problem);
  return parts;
}

}  // namespace imgmill
