// Writes pictures as files, whole or hurt in the ways that files are hurt out there.
#pragma once

#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace sample {

using Bytes = std::vector<unsigned char>;

Bytes Jpeg(const cv::Mat& image, int quality);
Bytes Png(const cv::Mat& image);
Bytes WebP(const cv::Mat& image, int quality);

/// The JPEG with an EXIF block that says how to turn it for display: 1 to 8, as in the EXIF standard, tag
/// 0x0112.
Bytes WithOrientation(const Bytes& jpeg, int orientation);

cv::Mat Shrunk(const cv::Mat& image, double factor);
/// Without `share` of the width and height, half of it at each side.
cv::Mat Cropped(const cv::Mat& image, double share);

/// Writes the file and its folder; @throws std::runtime_error when it cannot.
void Save(const std::string& path, const Bytes& bytes);

}  // namespace sample
