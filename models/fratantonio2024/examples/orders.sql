SELECT name, SUM(price) AS total
FROM orders
JOIN customers ON customers.id = orders.customer
WHERE year = 2024
GROUP BY name
ORDER BY total DESC;
