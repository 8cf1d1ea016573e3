// Encoding through OpenCV; the EXIF block byte by byte, since OpenCV writes none.
#include "picture_files.h"

#include <cmath>
#include <filesystem>
#include <fstream>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>

namespace sample {
namespace {

Bytes Encode(const std::string& extension, const cv::Mat& image, const std::vector<int>& parameters) {
  Bytes bytes;
  if (!cv::imencode(extension, image, bytes, parameters))
    throw std::runtime_error("cannot encode " + extension);
  return bytes;
}

}  // namespace

Bytes Jpeg(const cv::Mat& image, int quality) {
  return Encode(".jpg", image, {cv::IMWRITE_JPEG_QUALITY, quality});
}

Bytes Png(const cv::Mat& image) {
  return Encode(".png", image, {cv::IMWRITE_PNG_COMPRESSION, 9});
}

Bytes WebP(const cv::Mat& image, int quality) {
  return Encode(".webp", image, {cv::IMWRITE_WEBP_QUALITY, quality});
}

Bytes WithOrientation(const Bytes& jpeg, int orientation) {
  // APP1: length 34, "Exif", then a big-endian TIFF header with one directory of one entry: tag 0x0112, type
  // 3 (16-bit), count 1.
  Bytes app1{0xff, 0xe1, 0, 34, 'E', 'x',  'i',  'f', 0, 0, 'M', 'M', 0, 42, 0,
             0,    0,    8, 0,  1,   0x01, 0x12, 0,   3, 0, 0,   0,   1, 0};
  app1.push_back(static_cast<unsigned char>(orientation));
  app1.insert(app1.end(), {0, 0, 0, 0, 0, 0});
  Bytes result = jpeg;
  result.insert(result.begin() + 2, app1.begin(), app1.end());  // the start-of-image marker stays first
  return result;
}

cv::Mat Shrunk(const cv::Mat& image, double factor) {
  cv::Mat result;
  cv::resize(image, result, {}, factor, factor, cv::INTER_AREA);
  return result;
}

cv::Mat Cropped(const cv::Mat& image, double share) {
  const int x = static_cast<int>(std::lround(image.cols * share / 2)),
            y = static_cast<int>(std::lround(image.rows * share / 2));
  return image(cv::Rect(x, y, image.cols - 2 * x, image.rows - 2 * y)).clone();
}

void Save(const std::string& path, const Bytes& bytes) {
  std::filesystem::create_directories(std::filesystem::path(path).parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error("cannot write " + path);
}

}  // namespace sample
