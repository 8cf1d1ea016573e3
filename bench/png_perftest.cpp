// How fast PNG is written next to OpenCV, which uses libpng, at the same level and with the same images in
// memory; whether libpng reads the same pixels back; and how fast the files that libpng wrote are read.
//
// png_perftest OUT_FOLDER RUNS THREADS LEVEL FILE...   one image: THREADS work on it; several: THREADS at
// once
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <thread>
#include <vector>

#include "imgmill/image/reader.h"
#include "imgmill/image/writer.h"

namespace {

using imgmill::Image;

[[noreturn]] void Stop(const std::string& why) {
  std::fprintf(stderr, "png_perftest: %s\n", why.c_str());
  std::exit(1);
}

Image Read(const std::string& path) {
  auto header = imgmill::Probe(path, {});
  if (!header) Stop(path + ": " + header.error().message);
  imgmill::ReadOptions reading;
  reading.to_8bit = true;
  auto rows = imgmill::OpenRows(path, *header, reading);
  if (!rows) Stop(path + ": " + rows.error().message);
  Image image((*rows)->layout());
  imgmill::Layout strip = image.layout();
  for (int64_t y = 0; y < image.layout().height; y += strip.height) {
    strip.height = std::min<int64_t>(64, image.layout().height - y);
    const auto read = (*rows)->Read(strip.height, image.row(y), image.layout().row_bytes());
    if (!read) Stop(path + ": " + read.error().message);
  }
  return image;
}

void WriteOurs(const Image& image, const std::string& path, int level) {
  imgmill::WriteOptions options;
  options.compression = level;
  auto writer = imgmill::CreateRows(path, image.layout(), options, "");
  if (!writer) Stop(writer.error().message);
  const auto written = (*writer)->Write(image.view());
  if (!written) Stop(written.error().message);
  const auto finished = (*writer)->Finish();
  if (!finished) Stop(finished.error().message);
}

cv::Mat MatOf(const Image& image) {  // the order of its channels is not looked at
  const auto& layout = image.layout();
  return cv::Mat(static_cast<int>(layout.height), static_cast<int>(layout.width), CV_8UC(layout.bands),
                 const_cast<uint8_t*>(image.row(0)), layout.row_bytes());
}

void WriteByOpenCv(const Image& image, const std::string& path, int level) {
  if (!cv::imwrite(path, MatOf(image), {cv::IMWRITE_PNG_COMPRESSION, level}))
    Stop("OpenCV cannot write " + path);
}

/// Seconds to write or read all, `threads` at once.
template <typename Work>
double Time(const std::vector<Image>& images, const std::string& folder, int threads, Work work) {
  std::atomic<size_t> next{0};
  const auto begin = std::chrono::steady_clock::now();
  {
    std::vector<std::jthread> all;
    const size_t workers = std::min(images.size(), static_cast<size_t>(threads));
    for (size_t t = 0; t < workers; ++t) {
      all.emplace_back([&] {
        for (size_t i = next++; i < images.size(); i = next++)
          work(images[i], folder + "/" + std::to_string(i) + ".png");
      });
    }
  }
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

size_t BytesIn(const std::string& folder) {
  size_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += entry.file_size();
  return bytes;
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) Stop("usage: png_perftest OUT_FOLDER RUNS THREADS LEVEL FILE...");
  const std::string folder = argv[1];
  const int runs = std::atoi(argv[2]), threads = std::atoi(argv[3]), level = std::atoi(argv[4]);
  imgmill::InitImageLibraries();
  imgmill::SetWritingThreads(threads);
  std::vector<Image> images;
  double megapixels = 0;
  for (int i = 5; i < argc; ++i) {
    images.push_back(Read(argv[i]));
    megapixels += static_cast<double>(images.back().layout().width * images.back().layout().height) / 1e6;
  }
  const std::string ours = folder + "/imgmill", others = folder + "/opencv";
  std::filesystem::create_directories(ours);
  std::filesystem::create_directories(others);
  std::vector<double> our_seconds, other_seconds, ratios;
  const auto by_us = [&](const Image& image, const std::string& path) { WriteOurs(image, path, level); };
  const auto by_opencv = [&](const Image& image, const std::string& path) {
    WriteByOpenCv(image, path, level);
  };
  for (int run = 0; run < runs; ++run) {
    our_seconds.push_back(Time(images, ours, threads, by_us));
    other_seconds.push_back(Time(images, others, threads, by_opencv));
    ratios.push_back(other_seconds.back() / our_seconds.back());
  }
  for (size_t i = 0; i < images.size(); ++i) {
    const Image& image = images[i];
    cv::Mat read = cv::imread(ours + "/" + std::to_string(i) + ".png", cv::IMREAD_UNCHANGED);
    if (read.channels() >= 3) {  // OpenCV has blue first
      std::vector<cv::Mat> planes;
      cv::split(read, planes);
      std::swap(planes[0], planes[2]);
      cv::merge(planes, read);
    }
    if (cv::norm(read, MatOf(image), cv::NORM_INF) > 0) Stop("OpenCV reads other pixels than were written");
  }
  std::printf(
      "%.0f megapixels, %zu images, level %d, %d threads: imgmill %.3f s (%.0f MP/s), OpenCV %.3f s, "
      "%.2f times as fast; %zu bytes, OpenCV %zu, ratio %.3f\n",
      megapixels, images.size(), level, threads, Median(our_seconds), megapixels / Median(our_seconds),
      Median(other_seconds), Median(ratios), BytesIn(ours), BytesIn(others),
      static_cast<double>(BytesIn(ours)) / static_cast<double>(BytesIn(others)));

  our_seconds.clear();
  other_seconds.clear();
  ratios.clear();
  for (int run = 0; run < runs; ++run) {
    our_seconds.push_back(
        Time(images, others, threads, [](const Image&, const std::string& path) { Read(path); }));
    other_seconds.push_back(Time(images, others, threads, [](const Image&, const std::string& path) {
      if (cv::imread(path, cv::IMREAD_UNCHANGED).empty()) Stop("OpenCV cannot read " + path);
    }));
    ratios.push_back(other_seconds.back() / our_seconds.back());
  }
  std::printf(
      "the same, read from libpng's files: imgmill %.3f s (%.0f MP/s), OpenCV %.3f s, %.2f times as fast\n",
      Median(our_seconds), megapixels / Median(our_seconds), Median(other_seconds), Median(ratios));
}
