// The scenes of the sample pictures. Each is drawn at twice the size it is saved at, and shrunk: soft edges
// for free.
#pragma once

#include <opencv2/core.hpp>

#include "brush.h"

namespace sample {

// Out of doors, in scenes_outdoors.cpp. 8-bit BGR.
cv::Mat Harbour(Random random);
cv::Mat Mountains(Random random);
cv::Mat Dunes(Random random);
cv::Mat Forest(Random random);
cv::Mat Balloons(Random random);
cv::Mat Lighthouse(Random random);
cv::Mat Windmill(Random random);
cv::Mat Skyline(Random random);
cv::Mat Meadow(Random random);

// On the table and on the wall, in scenes_indoors.cpp. 8-bit BGR.
cv::Mat Citrus(Random random);
cv::Mat Poster(Random random);
cv::Mat Tartan(Random random);
cv::Mat Bookshelf(Random random);
cv::Mat ContourMap(Random random);
cv::Mat Newspaper(Random random);
cv::Mat Clock(Random random);
cv::Mat TiledFloor(Random random);
cv::Mat Marble(Random random);
cv::Mat StreetLights(Random random);

/// A face that is still one at 24 pixels; nothing in it is random.
cv::Mat Smile();

/// A round badge, 8-bit BGRA, transparent around and half transparent in its shadow.
cv::Mat Badge(Random random);

/// A morning sky, 16-bit BGR: a gradient finer than 8 bits can hold.
cv::Mat Dawn(Random random);

}  // namespace sample
